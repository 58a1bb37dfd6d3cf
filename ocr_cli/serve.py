"""`ocr serve`: this process becomes the local stack."""

import argparse
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from ocr_cli.errors import UsageError

INSTALL = "`make setup` in a checkout of the server"


def run_serve(arguments: argparse.Namespace) -> None:
    """Replace this process by the local stack, so that it hears every signal itself.

    Raises:
        UsageError: The stack is not installed here.
    """
    require_stack()
    given = {"HOST": arguments.host, "PORT": arguments.port}
    environment = os.environ | {name: str(value) for name, value in given.items() if value}
    command = [sys.executable, "-m", "embedded", "serve"]
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell, own interpreter


def require_stack() -> None:
    """Make sure that the local stack and the wheel that carries Triton are installed.

    Raises:
        UsageError: One is not; the text says how to install it.
    """
    try:
        version("nvidia-pytriton")
        installed = find_spec("embedded") is not None
    except PackageNotFoundError:
        installed = False
    if not installed:
        raise UsageError(
            f"The local stack is not installed for {sys.executable}: {INSTALL} installs it, and "
            "`make serve` starts it; or name a server that runs elsewhere with --server."
        )

"""The store, the repository and the Triton that a command's options and the environment name."""

from __future__ import annotations

from argparse import Namespace

from rich.console import Console

from releases.control import TritonControl, read_key
from releases.errors import ReleaseError
from releases.repository import Repository
from releases.settings import Settings
from releases.signing import Signer
from releases.store import ReleaseStore

console = Console(soft_wrap=True, highlight=False)


def open_store(options: Namespace, settings: Settings) -> ReleaseStore:
    """Return the folder of releases that the options and the environment name."""
    secret_key = getattr(options, "secret_key", None)
    root = options.releases or settings.releases_dir
    return ReleaseStore(root, Signer(settings.release_public_key, secret_key))


def open_repository(options: Namespace, settings: Settings) -> Repository:
    """Return Triton's model repository that the options and the environment name."""
    return Repository(options.model_repository or settings.model_repository)


def open_control(options: Namespace, settings: Settings) -> TritonControl | None:
    """Return the control of the running Triton, None with `--offline`; it answers."""
    if getattr(options, "offline", False):
        if options.triton:
            raise ReleaseError("--triton names a running Triton, --offline says that none runs")
        return None
    given = settings.triton_control_key
    key = read_key(given.get_secret_value() if given else None, settings.runtime_dir)
    control = TritonControl(options.triton or settings.triton_url, key)
    control.require()
    return control

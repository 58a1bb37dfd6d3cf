"""The environment that reads one form of Paddle model: made when first needed, kept in the cache.

The two forms need packages that exclude each other, and ours; together they take a gigabyte.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from export.errors import PaddleError
from export.spec import sha256_of

_OWN_TOOLS = Path(__file__).parent.parent.parent / ".tools" / "bin"


def environment_python(form: str, cache: Path) -> Path:
    """Return the Python of the environment for `pdmodel` or `json`.

    Raises:
        PaddleError: uv is missing or could not install the packages.
    """
    requirements = Path(__file__).with_name(f"{form}.txt")
    wanted = requirements.read_bytes()
    folder = cache / "paddle" / f"{form}-{sha256_of(wanted)[:12]}"
    python, stamp = folder / "bin" / "python", folder / "complete"
    if not stamp.exists():
        Console(stderr=True).print(f"[bold]paddle[/]: installing {requirements.name} …")
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        _uv("venv", "--clear", "--python", version, str(folder))
        _uv("pip", "install", "--python", str(python), "--requirements", str(requirements))
        stamp.touch()
    return python


def _uv(*arguments: str) -> None:
    program = shutil.which("uv", path=f"{_OWN_TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise PaddleError("uv makes the environment for Paddle and is missing: `make setup`")
    command = [program, "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise PaddleError(f"the environment for Paddle cannot be made: {done.stderr.strip()}")

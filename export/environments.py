"""Python environments beside ours: each made when first needed, and kept in the cache.

What converts Paddle models and what builds TensorRT plans excludes our packages, and each other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from export.digests import sha256_of
from export.errors import EnvironmentMissingError
from ocr_base.places import TOOLS


def environment_python(requirements: Path, cache: Path) -> Path:
    """Return the Python of an environment that holds exactly the requirements.

    Raises:
        EnvironmentMissingError: uv is missing or could not install the packages.
    """
    wanted = requirements.read_bytes()
    folder = cache / "environments" / f"{requirements.stem}-{sha256_of(wanted)[:12]}"
    python, stamp = folder / "bin" / "python", folder / "complete"
    if not stamp.exists():
        Console(stderr=True).print(f"[bold]export[/]: installing {requirements.name} …")
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        _uv("venv", "--clear", "--python", version, str(folder))
        _uv("pip", "install", "--python", str(python), "--requirements", str(requirements))
        stamp.touch()
    return python


def _uv(*arguments: str) -> None:
    program = shutil.which("uv", path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise EnvironmentMissingError("uv makes the environment and is missing: `make setup`")
    command = [program, "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise EnvironmentMissingError(f"the environment cannot be made: {done.stderr.strip()}")

"""The peers' environment: made once from `peers.txt`, made again when that file changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.reading import EngineFailedError
from ocr_base.places import TOOLS

REQUIREMENTS = Path(__file__).with_name("peers.txt")


def prepare_environment(folder: Path) -> Path:
    """Return the Python of an environment in the folder that holds exactly the requirements.

    Raises:
        EngineFailedError: uv is missing or could not install them.
    """
    python = folder / "bin" / "python"
    stamp = folder / "installed.txt"
    wanted = REQUIREMENTS.read_text()
    if python.exists() and stamp.is_file() and stamp.read_text() == wanted:
        return python
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    _uv("venv", "--quiet", "--clear", "--python", version, str(folder))
    _uv("pip", "install", "--quiet", "--python", str(python), "--requirements", str(REQUIREMENTS))
    stamp.write_text(wanted)
    return python


def _uv(*arguments: str) -> None:
    program = shutil.which("uv", path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise EngineFailedError("uv makes the peers' environment and is missing: `make setup`")
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise EngineFailedError(f"uv {arguments[0]} failed: {done.stderr.strip()}")

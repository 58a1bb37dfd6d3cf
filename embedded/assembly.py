"""The runtime folder: what Triton is started from and what it writes."""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import RuntimeFolderBusyError
from embedded.host import find_python_library, find_wheel
from ocr_base.private import private_folder

OWN_BACKENDS = Path(__file__).resolve().parent / "backends"
_STUB = "triton_python_backend_stub"


@dataclass(frozen=True)
class Installation:
    """A Triton that can be started.

    Attributes:
        server: The `tritonserver` binary of the wheel.
        backend_directory: The wheel's backends with our own beside them.
        library_path: Folders for `LD_LIBRARY_PATH`.
    """

    server: Path
    backend_directory: Path
    library_path: tuple[Path, ...]


def assemble(runtime_dir: Path) -> Installation:
    """Lay out the backend directory in the runtime folder, anew each time.

    Raises:
        UnsupportedHostError: The wheel or Python's shared library is not installed.
    """
    wheel = find_wheel()
    triton = wheel / "pytriton" / "tritonserver"
    backends = runtime_dir.resolve() / "backends"
    shutil.rmtree(backends, ignore_errors=True)
    # Copies, not links: Triton refuses a backend library that leads out of its folder.
    shutil.copytree(triton / "backends", backends)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    stub = backends / "python" / _STUB
    shutil.copy(triton / "python_backend_stubs" / version / _STUB, stub)
    stub.chmod(0o755)
    for model in OWN_BACKENDS.glob("*/model.py"):
        _lay_out_backend(model, backends / model.parent.name)
    python_library = find_python_library()
    libraries = [wheel / "nvidia_pytriton.libs", *([python_library] if python_library else [])]
    return Installation(triton / "bin" / "tritonserver", backends, tuple(libraries))


def _lay_out_backend(model: Path, folder: Path) -> None:
    """Copy a backend's `model.py`, and its modules where they are found by their own names.

    The folder is on the module path of every process of the backend; the wheel's stubs do not all
    read `PYTHONPATH`.
    """
    folder.mkdir()
    shutil.copy(model, folder)
    for module in model.parent.glob("*.py"):
        copy = folder / module.relative_to(OWN_BACKENDS.parent.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, copy)


def shared_memory_prefix(runtime_dir: Path) -> str:
    """Return what the names of this folder's shared memory begin with, in every run the same."""
    return f"ocr_{hashlib.sha256(str(runtime_dir.resolve()).encode()).hexdigest()[:16]}_"


def control_key(runtime_dir: Path, given: str | None) -> str:
    """Return the key of Triton's control; this account's operator finds it in `control-key`."""
    path = runtime_dir / "control-key"
    key = given or (path.read_text() if path.exists() else secrets.token_urlsafe(24))
    path.touch(mode=0o600)
    path.write_text(key)
    return key


@contextlib.contextmanager
def locked(runtime_dir: Path, wait_seconds: float) -> Iterator[int]:
    """Hold the runtime folder; give the descriptor of the lock.

    Guards inherit the descriptor, so the folder is free only when the last of them has cleaned up.

    Raises:
        RuntimeFolderBusyError: Another stack still held the folder after `wait_seconds`.
    """
    private_folder(runtime_dir)
    descriptor = os.open(runtime_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, runtime_dir, time.monotonic() + wait_seconds)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, runtime_dir: Path, deadline: float) -> None:
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            raise RuntimeFolderBusyError(
                f"Another stack runs in {runtime_dir}, or is still being cleaned up. "
                "Stop it, or set RUNTIME_DIR to another folder."
            )
        time.sleep(0.1)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

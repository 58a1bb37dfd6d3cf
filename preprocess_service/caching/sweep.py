"""Making room in the folder of the disk tier."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_BLOCK_BYTES = 4096
# Long enough for another process to finish what it is writing.
_UNFINISHED_SECONDS = 60


def disk_bytes(size: int) -> int:
    """What a file of that size takes."""
    return -(-size // _BLOCK_BYTES) * _BLOCK_BYTES


def sweep_folder(folder: Path, max_bytes: int) -> None:
    """Remove files that ended, then those read least recently, until the rest fits.

    A file's modification time says when it ends, its access time when it was read; of one that
    a crash left half written (its name begins with a dot) it says when it was begun.
    """
    kept: list[tuple[float, int, str]] = []
    now = time.time()
    for entry in _files(folder):
        with suppress(FileNotFoundError):  # another process sweeps too
            status = entry.stat()
            grace = _UNFINISHED_SECONDS if entry.name.startswith(".") else 0
            if status.st_mtime + grace <= now:
                Path(entry.path).unlink()
            else:
                kept.append((status.st_atime, disk_bytes(status.st_size), entry.path))
    _remove_oldest(kept, max_bytes)


def _remove_oldest(kept: list[tuple[float, int, str]], max_bytes: int) -> None:
    total = sum(size for _, size, _ in kept)
    for _, size, path in sorted(kept):
        if total <= max_bytes:
            return
        Path(path).unlink(missing_ok=True)
        total -= size


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield entry

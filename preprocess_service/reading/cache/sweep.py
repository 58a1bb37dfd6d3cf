"""Removal of old files from the folder of the disk tier."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_BLOCK_BYTES = 4096
# Long enough for another process to finish what it is writing.
_UNFINISHED_SECONDS = 60
# Ended files go this soon after, though nobody writes.
_PAUSE_SECONDS = 600


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


class Sweeper:
    """Keeps a folder within `max_bytes`, swept by a thread of its own.

    An eighth of the bound is for what is written between two sweeps; each further process that
    writes to the folder can exceed the bound by as much.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """The first sweep begins at once: others may have left the folder full."""
        self._folder = folder
        self._headroom_bytes = max_bytes // 8
        self._bound_of_sweep = max_bytes - self._headroom_bytes
        self._taken_bytes = 0
        self._error: OSError | None = None
        self._lock = threading.Lock()
        self._closed, self._wanted = threading.Event(), threading.Event()
        threading.Thread(target=self._run, name="cache-disk-sweep", daemon=True).start()

    def take(self, size: int) -> bool:
        """Whether there is room for a file of that size, which then is counted.

        Raises:
            OSError: The last sweep failed.
        """
        with self._lock:
            error, self._error = self._error, None
            taken = self._taken_bytes + disk_bytes(size)
            if error or taken > self._headroom_bytes // 2:
                self._wanted.set()
            if error:
                raise error
            if taken <= self._headroom_bytes:
                self._taken_bytes = taken
            return self._taken_bytes == taken

    def close(self) -> None:
        """Let the thread end after what it is doing."""
        self._closed.set()
        self._wanted.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wanted.clear()
            self._sweep()
            self._wanted.wait(_PAUSE_SECONDS)

    def _sweep(self) -> None:
        taken = self._taken_bytes
        try:
            sweep_folder(self._folder, self._bound_of_sweep)
        except OSError as exc:
            self._error = exc
        else:
            with self._lock:
                self._taken_bytes -= taken

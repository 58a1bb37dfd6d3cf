"""The last tier: files in a folder, which outlive restarts and may be shared by processes."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from preprocess_service.reading.cache.sweep import Sweeper

Result = TypeVar("Result")


class DiskTier:
    """Keeps one file per entry, `max_bytes` in all; the least recently asked for go first."""

    name = "disk"

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """The folder is made with the first entry."""
        self._folder = folder
        self._sweeper = Sweeper(folder, max_bytes)
        # Threads of its own: a disk that hangs takes none from the rest of the service.
        self._reader = ThreadPoolExecutor(2, "cache-disk-read")
        self._writer = ThreadPoolExecutor(1, "cache-disk-write")

    async def get(self, key: str) -> bytes | None:
        """See `Tier.get`."""
        return await _run(self._reader, lambda: self._read(key))

    async def set(self, key: str, data: bytes, expires_at: float) -> None:
        """See `Tier.set`."""
        await _run(self._writer, lambda: self._write(key, data, expires_at))

    async def delete(self, key: str) -> None:
        """See `Tier.delete`."""
        await _run(self._writer, lambda: self._path(key).unlink(missing_ok=True))

    async def close(self) -> None:
        """See `Tier.close`."""
        self._sweeper.close()
        self._reader.shutdown(wait=False, cancel_futures=True)
        self._writer.shutdown(wait=False, cancel_futures=True)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _read(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        with suppress(OSError):  # a folder that can only be read still answers
            os.utime(path, (time.time(), path.stat().st_mtime))
        return data

    def _write(self, key: str, data: bytes, expires_at: float) -> None:
        if self._sweeper.take(len(data)):
            path = self._path(key)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(path, data, expires_at)


def _replace(path: Path, data: bytes, expires_at: float) -> None:
    """Put the file in place whole; its modification time says when it ends."""
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.utime(temporary, (time.time(), expires_at))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


async def _run(threads: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(threads, work)

"""Uploads in a folder or a bucket, through fsspec."""

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime, timezone
from typing import BinaryIO, cast

import fsspec

from preprocess_service.errors import (
    InternalError,
    JobAbandonedError,
    ServiceError,
    StorageFullError,
    StorageUnavailableError,
)

_CHUNK_BYTES = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}


class UploadStore:
    """Keeps uploads under `url`: a folder (`file:///…`) or a bucket (`s3://…`).

    Each lies under the day on which it came, so that what nobody remembers is found by its age.
    """

    def __init__(self, url: str) -> None:
        try:
            self._fs, self._root = fsspec.core.url_to_fs(url)
        except ImportError as exc:
            raise InternalError(
                f"JOB_STORAGE_URL={url} needs a package: pip install 'ocr-server[s3]'. ({exc})"
            ) from exc

    async def save(self, name: str, file: BinaryIO) -> str:
        """The key of the file's copy, which is complete and durable once this returns.

        Raises:
            StorageFullError: There is no room for it; nothing of it is left.
            StorageUnavailableError: It cannot be written.
        """
        key = f"{datetime.now(timezone.utc).date().isoformat()}/{name}"
        await asyncio.to_thread(self._write, key, file)
        return key

    @asynccontextmanager
    async def open(self, key: str) -> AsyncIterator[BinaryIO]:
        """The upload as a file of the operating system.

        Raises:
            JobAbandonedError: It is gone.
            StorageUnavailableError: It cannot be read.
        """
        file = await asyncio.to_thread(self._read, key)
        try:
            yield file
        finally:
            file.close()

    async def delete(self, key: str) -> None:
        """Remove the upload; one that is gone is no error."""
        await asyncio.to_thread(self._remove, self._path(key))

    async def delete_days_before(self, day: date) -> None:
        """Remove every upload that came before that day, remembered or not."""
        await asyncio.to_thread(self._remove_days_before, day)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _write(self, key: str, file: BinaryIO) -> None:
        path = self._path(key)
        try:
            with _as_service_errors():
                self._fs.makedirs(self._fs._parent(path), exist_ok=True)
                with self._fs.open(path, "wb") as target:
                    _copy(file, target)
        except BaseException:
            with contextlib.suppress(ServiceError):
                self._remove(path)
            raise

    def _read(self, key: str) -> BinaryIO:
        path = self._path(key)
        with _as_service_errors():
            try:
                if "file" in self._fs.protocol:
                    return cast(BinaryIO, open(path, "rb"))  # noqa: PTH123 - a path of fsspec's
                copy = tempfile.TemporaryFile()  # noqa: SIM115 - likewise
                with self._fs.open(path, "rb") as source:
                    shutil.copyfileobj(source, copy, _CHUNK_BYTES)
                copy.seek(0)  # writes out what is still buffered: readers go to the descriptor
            except FileNotFoundError as exc:
                raise JobAbandonedError("The upload is no longer there.") from exc
            return cast(BinaryIO, copy)

    def _remove(self, path: str) -> None:
        with _as_service_errors():
            try:
                self._fs.rm(path, recursive=True)
            except FileNotFoundError:
                return

    def _remove_days_before(self, day: date) -> None:
        with _as_service_errors():
            if not self._fs.exists(self._root):
                return
            for folder in self._fs.ls(self._root, detail=False, refresh=True):
                name = folder.rstrip("/").rpartition("/")[2]
                if _is_day_before(name, day):
                    self._remove(folder)


async def hash_file(file: BinaryIO) -> str:
    """The sha256 of the file from its start, in hexadecimal digits."""
    return await asyncio.to_thread(_hash, file)


def _hash(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    source.seek(0)
    shutil.copyfileobj(source, target, _CHUNK_BYTES)
    target.flush()
    try:
        descriptor = target.fileno()
    except (AttributeError, OSError):
        return  # a bucket keeps what it has acknowledged
    os.fsync(descriptor)


def _is_day_before(name: str, day: date) -> bool:
    try:
        return date.fromisoformat(name) < day
    except ValueError:
        return False


@contextmanager
def _as_service_errors() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise StorageFullError(
                "There is no room for the upload (DATA_DIR, JOB_STORAGE_URL)."
            ) from exc
        raise StorageUnavailableError("The store of uploads cannot be used.") from exc

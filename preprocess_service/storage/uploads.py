"""Uploads in a folder or a bucket, through fsspec."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime, timezone
from pathlib import Path
from typing import BinaryIO, cast

import fsspec

from ocr_base.private import private_folder
from preprocess_service.disk import disk_error, temporary_files
from preprocess_service.errors import InternalError, JobAbandonedError
from preprocess_service.problem import ServiceError

_CHUNK_BYTES = 1 << 20
#: What a missing package for buckets is mended with.
INSTALL_S3 = "for s3:// `make setup`, or `.tools/bin/uv sync --inexact --extra s3`"
_SETTINGS = "JOB_STORAGE_URL, DATA_DIR"


@contextmanager
def only_os_errors() -> Iterator[None]:
    """Around every use of a file system that a setting or an argument names.

    Raises:
        OSError: Whatever it raised. Errors of this service pass.
    """
    try:
        yield
    except (OSError, ServiceError):
        raise
    except Exception as exc:  # every object store has a client with errors of its own
        raise OSError(f"{type(exc).__name__}: {exc}") from exc


class UploadStore:
    """Keeps uploads under `url`: a folder (`file:///…`) or a bucket (`s3://…`).

    Each lies under the day on which it came, so that what nobody remembers is found by its age.
    """

    def __init__(self, url: str) -> None:
        try:
            self._fs, self._root = fsspec.core.url_to_fs(url)
        except ImportError as exc:
            raise InternalError(
                f"JOB_STORAGE_URL={url} needs a package: {exc} ({INSTALL_S3})"
            ) from exc

    @property
    def _is_local(self) -> bool:
        return "file" in self._fs.protocol

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
        with _as_service_errors():
            if self._is_local:
                private_folder(Path(self._root))
            self._fs.makedirs(self._fs._parent(path), exist_ok=True)
        try:
            with _as_service_errors(), self._fs.open(path, "wb") as target:
                _copy(file, target)
        except BaseException:
            with contextlib.suppress(ServiceError):
                self._remove(path)
            raise

    def _read(self, key: str) -> BinaryIO:
        path = self._path(key)
        with _as_service_errors():
            try:
                if self._is_local:
                    return cast(BinaryIO, open(path, "rb"))  # noqa: PTH123 - a path of fsspec's
                with self._fs.open(path, "rb") as source:
                    return _copy_here(source)
            except FileNotFoundError as exc:
                raise JobAbandonedError(
                    "The upload is no longer there. Submit the document again."
                ) from exc

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


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    source.seek(0)
    shutil.copyfileobj(source, target, _CHUNK_BYTES)
    target.flush()
    try:
        descriptor = target.fileno()
    except (AttributeError, OSError):
        return  # a bucket keeps what it has acknowledged
    os.fsync(descriptor)


def _copy_here(source: BinaryIO) -> BinaryIO:
    with temporary_files():
        copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    try:
        while chunk := source.read(_CHUNK_BYTES):
            with temporary_files():
                copy.write(chunk)
                copy.flush()  # readers go to the descriptor
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy


def _is_day_before(name: str, day: date) -> bool:
    try:
        return date.fromisoformat(name) < day
    except ValueError:
        return False


@contextmanager
def _as_service_errors() -> Iterator[None]:
    try:
        with only_os_errors():
            yield
    except OSError as exc:
        raise disk_error(exc, _SETTINGS) from exc

"""Folders of this machine and prefixes of object stores (`s3://`), through fsspec."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem

from ocr_base.formats import EXTENSIONS, SUFFIXES
from preprocess_service.array_jobs.errors import ArrayJobUsageError
from preprocess_service.disk import temporary_files
from preprocess_service.errors import DocumentTooLargeError
from preprocess_service.storage.uploads import INSTALL_S3, only_os_errors

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """A document to read.

    Attributes:
        name: Its path within the input folder.
        version: Changes whenever its bytes do: an object store's ETag, a file's time.
    """

    name: str
    size: int
    version: str


class Folder:
    """Files below one place.

    Every method blocks, so call it beside the event loop, and raises OSError where the place does
    not answer as it should.
    """

    def __init__(self, url: str) -> None:
        try:
            self._fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except ImportError as exc:
            raise ArrayJobUsageError(f"{url}: {exc} ({INSTALL_S3})") from exc
        except ValueError as exc:
            raise ArrayJobUsageError(f"{url}: {exc}") from exc
        self.root = str(root).rstrip("/")

    @only_os_errors()
    def exists(self) -> bool:
        """Whether there is such a folder, or anything below such a prefix."""
        return bool(self._fs.isdir(self.root))

    def documents(self, leave_out: "Folder") -> Iterator[SourceFile]:
        """Every document below, folder by folder, without what lies in `leave_out`."""
        with only_os_errors():
            for path, folders, files in self._fs.walk(self.root, detail=True):
                for name in list(folders):
                    if name.startswith(".") or f"{path}/{name}" == leave_out.root:
                        del folders[name]
                for name in sorted(filter(_is_document, files)):
                    # Reading from a pipe or a device may never end.
                    if files[name]["type"] != "other" or files[name].get("islink"):
                        yield self._source_file(files[name])

    @only_os_errors()
    def fetch(self, name: str, target: BinaryIO, max_bytes: int) -> str:
        """Copy a file into `target`; its sha256.

        Raises:
            DocumentTooLargeError: It has more bytes than that.
            StorageFullError: There is no room for the copy.
            OSError: It cannot be read.
        """
        digest = hashlib.sha256()
        with self._fs.open(self._path(name), "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                if target.tell() + len(chunk) > max_bytes:
                    raise DocumentTooLargeError(
                        f"The file is larger than {max_bytes >> 20} MB (MAX_FILE_SIZE_MB)."
                    )
                digest.update(chunk)
                with temporary_files():
                    target.write(chunk)
        with temporary_files():
            target.flush()
        return digest.hexdigest()

    @only_os_errors()
    def read(self, name: str) -> bytes | None:
        """The bytes of a small file, None where there is none."""
        try:
            data: bytes = self._fs.cat_file(self._path(name))
        except FileNotFoundError:
            return None
        return data

    @only_os_errors()
    def size(self, name: str) -> int | None:
        """The bytes a file has, None where there is none."""
        try:
            return int(self._fs.info(self._path(name))["size"])
        except FileNotFoundError:
            return None

    @only_os_errors()
    def write(self, name: str, data: bytes) -> None:
        """Write a file at once: whoever looks sees all of it, or what was there before."""
        path = self._path(name)
        if not isinstance(self._fs, LocalFileSystem):
            self._fs.pipe_file(path, data)  # an object appears when it is complete
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.part")
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)

    @only_os_errors()
    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        if self.size(name) is not None:
            self._fs.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _source_file(self, info: dict[str, Any]) -> SourceFile:
        version = info.get("ETag") or info.get("mtime") or info.get("LastModified")
        name = str(info["name"]).removeprefix(f"{self.root}/")
        return SourceFile(name, int(info["size"]), str(version))


def _is_document(name: str) -> bool:
    # The searchable PDFs of an earlier run are no documents of this one.
    is_result = name.startswith(".") or name.endswith(EXTENSIONS["pdf"])
    return Path(name).suffix.lower() in SUFFIXES and not is_result

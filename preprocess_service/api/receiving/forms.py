"""Forms with files, read as a stream into temporary files and cut at the limit."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request

from preprocess_service import metrics
from preprocess_service.api.receiving.fields import Pairs
from preprocess_service.api.receiving.multipart import Part, read_form
from preprocess_service.errors import (
    DocumentTooLargeError,
    InvalidRequestError,
    UnsupportedMediaTypeError,
)
from preprocess_service.settings import Settings

#: Most files of one request.
MAX_FILES = 100
#: What a form may hold beside its files.
_FORM_OVERHEAD_BYTES = 1 << 20
# More of them are too much all the same.
_MAX_DIGITS = 18


@dataclass(frozen=True)
class FormFile:
    """One file of a form, under the name that the caller gave it."""

    name: str
    file: BinaryIO
    size: int


@dataclass(frozen=True)
class Form:
    """The files of a form, and its other fields in order."""

    files: tuple[FormFile, ...]
    fields: Pairs

    @property
    def file(self) -> BinaryIO | None:
        """The first file, if there is one."""
        return self.files[0].file if self.files else None

    def require_file(self) -> BinaryIO:
        """The first file.

        Raises:
            InvalidRequestError: There is none.
        """
        if self.file is None:
            raise InvalidRequestError("The form has no file in its field `file`.")
        return self.file


@asynccontextmanager
async def receive_form(request: Request, settings: Settings) -> AsyncIterator[Form]:
    """The form, with its `file`, if it has one, in a temporary file that is gone after the block.

    Raises:
        UnsupportedMediaTypeError: The body is no multipart form.
        DocumentTooLargeError: The file is larger than allowed; the rest is not read.
        InvalidRequestError: The form is broken, or has another file.
        StorageFullError: There is no room for the file.
        StorageUnavailableError: It cannot be written.
    """
    limit = _Limit(settings.max_file_size_mb, "The file", "MAX_FILE_SIZE_MB")
    async with _received(request, limit, "file", max_files=1) as form:
        if form.files and form.files[0].size > limit.bytes:
            raise limit.error()
        yield form


@asynccontextmanager
async def receive_files(request: Request, settings: Settings) -> AsyncIterator[Form]:
    """The form with its `files`, in temporary files that are gone after the block.

    A file that is too large is for its reader to refuse.

    Raises:
        UnsupportedMediaTypeError: The body is no multipart form.
        DocumentTooLargeError: All of it is larger than allowed; the rest is not read.
        InvalidRequestError: The form is broken, or has no `files`, too many, or others.
        StorageFullError: There is no room for the files.
        StorageUnavailableError: They cannot be written.
    """
    limit = _Limit(settings.max_request_size_mb, "The request", "MAX_REQUEST_SIZE_MB")
    async with _received(request, limit, "files", MAX_FILES) as form:
        if not form.files:
            raise InvalidRequestError("The form has no files in its field `files`.")
        yield form


@dataclass(frozen=True)
class _Limit:
    megabytes: int
    what: str
    setting: str

    @property
    def bytes(self) -> int:
        return self.megabytes << 20

    def error(self) -> DocumentTooLargeError:
        return DocumentTooLargeError(
            f"{self.what} is larger than {self.megabytes} MB ({self.setting})."
        )


@asynccontextmanager
async def _received(
    request: Request, limit: _Limit, name: str, max_files: int
) -> AsyncIterator[Form]:
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        raise UnsupportedMediaTypeError("Send a form (multipart/form-data) with the document.")
    if _declared_length(request) > limit.bytes + _FORM_OVERHEAD_BYTES:
        raise limit.error()
    with metrics.STAGE_SECONDS.labels("upload").time():
        parts = await read_form(content_type, _cut(request.stream(), limit), max_files)
    try:
        yield Form(_files(parts, name), [(part.name, part.text) for part in parts if not part.file])
    finally:
        for part in parts:
            part.close()


def _declared_length(request: Request) -> int:
    length = request.headers.get("content-length", "0")[:_MAX_DIGITS]
    return int(length) if length.isdecimal() else 0


async def _cut(stream: AsyncIterator[bytes], limit: _Limit) -> AsyncIterator[bytes]:
    received = 0
    async for chunk in stream:
        received += len(chunk)
        if received > limit.bytes + _FORM_OVERHEAD_BYTES:
            raise limit.error()
        yield chunk


def _files(parts: Sequence[Part], name: str) -> tuple[FormFile, ...]:
    for part in parts:
        if part.file and part.name != name:
            raise InvalidRequestError(
                f"The form has a file in its field {part.name!r}: send it in `{name}`."
            )
    return tuple(
        FormFile(part.file_name or "", part.file, part.size) for part in parts if part.file
    )

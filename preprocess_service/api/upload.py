"""Uploads, read as a stream into temporary files and cut at the limit."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from preprocess_service import metrics
from preprocess_service.errors import (
    DocumentTooLargeError,
    InvalidRequestError,
    StorageFullError,
    UnsupportedMediaTypeError,
)
from preprocess_service.fetching.download import DISK_IS_FULL
from preprocess_service.settings import Settings

#: Most files of one request.
MAX_FILES = 100
#: What a form may hold beside its files.
_FORM_OVERHEAD_BYTES = 1 << 20
_MAX_FIELDS = 64
_MAX_FIELD_BYTES = 64 * 1024

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Upload:
    """One file of a form, and the form's other fields in order."""

    file: BinaryIO
    fields: Fields


@dataclass(frozen=True)
class Form:
    """A form whose `file` may be missing, and its other fields in order."""

    file: BinaryIO | None
    fields: Fields


@dataclass(frozen=True)
class NamedFile:
    """One of several files; those that are too large are for their reader to refuse."""

    name: str
    file: BinaryIO
    size: int


@dataclass(frozen=True)
class Batch:
    """The files of a form, and its other fields in order."""

    files: tuple[NamedFile, ...]
    fields: Fields


@asynccontextmanager
async def receive_upload(request: Request, settings: Settings) -> AsyncIterator[Upload]:
    """The form's `file`, in a temporary file that is gone after the block.

    Raises:
        UnsupportedMediaTypeError: The body is no multipart form.
        DocumentTooLargeError: The file is larger than allowed; the rest is not read.
        InvalidRequestError: The form is broken, or has no `file`, or more than one.
    """
    async with receive_form(request, settings) as form:
        if form.file is None:
            raise InvalidRequestError("The form has no file in its field `file`.")
        yield Upload(form.file, form.fields)


@asynccontextmanager
async def receive_form(request: Request, settings: Settings) -> AsyncIterator[Form]:
    """The form, with its `file`, if it has one, in a temporary file that is gone after the block.

    Raises:
        UnsupportedMediaTypeError: The body is no multipart form.
        DocumentTooLargeError: The file is larger than allowed; the rest is not read.
        InvalidRequestError: The form is broken, or has more than one file.
    """
    limit = _Limit(settings.max_file_size_mb, "The file", "MAX_FILE_SIZE_MB")
    async with _received(request, limit, max_files=1) as form:
        file = form.get("file")
        upload = file if isinstance(file, UploadFile) else None
        if upload and (upload.size or 0) > limit.bytes:
            raise limit.error()
        yield Form(upload.file if upload else None, _fields(form))


@asynccontextmanager
async def receive_batch(request: Request, settings: Settings) -> AsyncIterator[Batch]:
    """The form's `files`, in temporary files that are gone after the block.

    Raises:
        UnsupportedMediaTypeError: The body is no multipart form.
        DocumentTooLargeError: All of it is larger than allowed; the rest is not read.
        InvalidRequestError: The form is broken, or has no `files`, or too many.
    """
    limit = _Limit(settings.max_request_size_mb, "The request", "MAX_REQUEST_SIZE_MB")
    async with _received(request, limit, MAX_FILES) as form:
        files = [item for item in form.getlist("files") if isinstance(item, UploadFile)]
        if not files:
            raise InvalidRequestError("The form has no files in its field `files`.")
        named = (NamedFile(item.filename or "", item.file, item.size or 0) for item in files)
        yield Batch(tuple(named), _fields(form))


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
async def _received(request: Request, limit: _Limit, max_files: int) -> AsyncIterator[FormData]:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMediaTypeError("Send a form (multipart/form-data) with the document.")
    if _declared_length(request) > limit.bytes + _FORM_OVERHEAD_BYTES:
        raise limit.error()
    with metrics.STAGE_SECONDS.labels("upload").time():
        form = await _parse(request, _cut(request.stream(), limit), max_files)
    try:
        yield form
    finally:
        await form.close()


def _declared_length(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


async def _parse(request: Request, stream: AsyncGenerator[bytes, None], max_files: int) -> FormData:
    parser = MultiPartParser(
        request.headers,
        stream,
        max_files=max_files,
        max_fields=_MAX_FIELDS,
        max_part_size=_MAX_FIELD_BYTES,
    )
    try:
        return await parser.parse()
    except MultiPartException as exc:
        raise InvalidRequestError(f"The form cannot be read: {exc.message}") from exc
    except OSError as exc:
        if exc.errno not in DISK_IS_FULL:
            raise
        raise StorageFullError("There is no room for the upload (TMPDIR).") from exc


async def _cut(stream: AsyncGenerator[bytes, None], limit: _Limit) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in stream:
        received += len(chunk)
        if received > limit.bytes + _FORM_OVERHEAD_BYTES:
            raise limit.error()
        yield chunk


def _fields(form: FormData) -> Fields:
    return tuple((name, value) for name, value in form.multi_items() if isinstance(value, str))

"""Uploads, read as a stream into a temporary file and cut at the limit."""

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
    UnsupportedMediaTypeError,
)

#: What a form may hold beside its file.
_FORM_OVERHEAD_BYTES = 1 << 20
_MAX_FIELDS = 64
_MAX_FIELD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Upload:
    """One file of a form, and the form's other fields in order."""

    file: BinaryIO
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Form:
    """A form whose `file` may be missing, and its other fields in order."""

    file: BinaryIO | None
    fields: tuple[tuple[str, str], ...]


@asynccontextmanager
async def receive_upload(request: Request, max_file_bytes: int) -> AsyncIterator[Upload]:
    """The form's `file`, in a temporary file that is gone after the block.

    Raises:
        UnsupportedMediaTypeError: The body is no multipart form.
        DocumentTooLargeError: The file is larger than allowed; the rest is not read.
        InvalidRequestError: The form is broken, or has no `file`, or more than one.
    """
    async with receive_form(request, max_file_bytes) as form:
        if form.file is None:
            raise InvalidRequestError("The form has no file in its field `file`.")
        yield Upload(form.file, form.fields)


@asynccontextmanager
async def receive_form(request: Request, max_file_bytes: int) -> AsyncIterator[Form]:
    """The form, with its `file`, if it has one, in a temporary file that is gone after the block.

    Raises:
        UnsupportedMediaTypeError: The body is no multipart form.
        DocumentTooLargeError: The file is larger than allowed; the rest is not read.
        InvalidRequestError: The form is broken, or has more than one file.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMediaTypeError("Send the document as multipart/form-data, field `file`.")
    max_body_bytes = max_file_bytes + _FORM_OVERHEAD_BYTES
    if int(request.headers.get("content-length", "0")) > max_body_bytes:
        raise _too_large(max_file_bytes)
    with metrics.STAGE_SECONDS.labels("upload").time():
        form = await _parse(request, _cut(request.stream(), max_body_bytes, max_file_bytes))
    try:
        file = form.get("file")
        upload = file if isinstance(file, UploadFile) else None
        if upload and (upload.size or 0) > max_file_bytes:
            raise _too_large(max_file_bytes)
        fields = ((name, value) for name, value in form.multi_items() if isinstance(value, str))
        yield Form(upload.file if upload else None, tuple(fields))
    finally:
        await form.close()


async def _parse(request: Request, stream: AsyncGenerator[bytes, None]) -> FormData:
    parser = MultiPartParser(
        request.headers, stream, max_files=1, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES
    )
    try:
        return await parser.parse()
    except MultiPartException as exc:
        raise InvalidRequestError(f"The form cannot be read: {exc.message}") from exc


async def _cut(
    stream: AsyncGenerator[bytes, None], max_body_bytes: int, max_file_bytes: int
) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in stream:
        received += len(chunk)
        if received > max_body_bytes:
            raise _too_large(max_file_bytes)
        yield chunk


def _too_large(max_file_bytes: int) -> DocumentTooLargeError:
    return DocumentTooLargeError(
        f"The file is larger than {max_file_bytes >> 20} MB (MAX_FILE_SIZE_MB)."
    )

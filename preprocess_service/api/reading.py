"""One document of a request, from its file to its answer."""

from collections.abc import Callable
from typing import BinaryIO

from fastapi import Request
from starlette.responses import Response

from preprocess_service import metrics
from preprocess_service.api.accept import negotiate_format
from preprocess_service.api.context import Asked
from preprocess_service.api.guard import while_connected
from preprocess_service.document import Document
from preprocess_service.errors import UnsupportedMediaTypeError
from preprocess_service.formatting import FORMATS, Original
from preprocess_service.imaging.sniff import HEAD_BYTES, PDF, sniff_media_type
from preprocess_service.options import OcrOptions, parse_options

STATUS_HEADER = "X-OCR-Status"
CACHE_HEADER = "X-OCR-Cache"

#: Refuses a media type that an endpoint does not take.
CheckType = Callable[[str], None]


def any_type(media_type: str) -> None:
    """Take all that is read here."""


def only_images(media_type: str) -> None:
    """Refuse a PDF."""
    if media_type == PDF:
        raise UnsupportedMediaTypeError("A PDF: send it to /ocr/pdf or /ocr/process.")


def only_pdf(media_type: str) -> None:
    """Refuse an image."""
    if media_type != PDF:
        raise UnsupportedMediaTypeError(
            f"No PDF but {media_type}: send it to /ocr/image or /ocr/process."
        )


async def answer(
    asked: Asked, file: BinaryIO, options: OcrOptions, check_type: CheckType = any_type
) -> Response:
    """The document of the file in its format; given up when the caller leaves.

    Raises:
        ServiceError: It cannot be read, or there is no room for it now.
    """
    services = asked.services
    file.seek(0)
    check_type(sniff_media_type(file.read(HEAD_BYTES)))

    async def read() -> Response:
        document = await services.reader.read(file, options, asked.context, asked.policy)
        original = services.pipeline.original(file, options)
        return await document_response(document, options.output_format, original)

    with services.slots.hold():
        return await while_connected(asked.request, read())


def request_options(request: Request, fields: tuple[tuple[str, str], ...]) -> OcrOptions:
    """The options of form and query; `Accept` chooses the format where they do not.

    Raises:
        InvalidOptionsError: One of them cannot be honoured.
        NotAcceptableError: No format in `Accept` is written here.
    """
    pairs = [*request.query_params.multi_items(), *fields]
    if not any(name == "output_format" and value.strip() for name, value in pairs):
        pairs.append(("output_format", negotiate_format(request.headers.get("accept"))))
    return parse_options(pairs)


async def document_response(document: Document, output_format: str, original: Original) -> Response:
    """The document in one of the formats."""
    written = FORMATS[output_format]
    with metrics.STAGE_SECONDS.labels("format").time():
        body = await written.write(document, original)
    headers = {
        STATUS_HEADER: document.status,
        CACHE_HEADER: "hit" if document.cache_hit else "miss",
    }
    return Response(body, headers=headers, media_type=written.media_type)

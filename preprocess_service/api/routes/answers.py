"""A document as an answer: read out of a request's file, and written in its format."""

from functools import partial
from typing import BinaryIO

from starlette.responses import Response

from preprocess_service import metrics
from preprocess_service.api.limits.deadlines import while_connected
from preprocess_service.api.routes.context import OcrCall
from preprocess_service.document import Document
from preprocess_service.errors import UnsupportedMediaTypeError
from preprocess_service.formatting import FORMATS, AddText
from preprocess_service.options import OcrOptions
from preprocess_service.pages.media_types import PDF
from preprocess_service.reading.identify import CheckType

STATUS_HEADER = "X-OCR-Status"
CACHE_HEADER = "X-OCR-Cache"


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


async def answer_document(
    call: OcrCall, file: BinaryIO, options: OcrOptions, check_type: CheckType | None = None
) -> Response:
    """The document of the file in its format; given up when the caller leaves.

    Raises:
        ServiceError: It cannot be read, or there is no room for it now.
    """
    services = call.services

    async def read() -> Response:
        identify = services.pipeline.identifier.identify
        upload = await identify(file, options, call.context, check_type=check_type)
        document = await services.reader.read(upload, call.policy)
        add_text = partial(services.pipeline.add_text, upload.raster, file)
        return await document_response(document, options.output_format, add_text)

    with services.slots.hold():
        return await while_connected(call.request, read())


async def document_response(document: Document, output_format: str, add_text: AddText) -> Response:
    """The document in one of the formats."""
    written = FORMATS[output_format]
    with metrics.STAGE_SECONDS.labels("format").time():
        body = await written.write(document, add_text)
    headers = document_headers(document.status, is_hit=document.cache_hit)
    return Response(body, headers=headers, media_type=written.media_type)


def document_headers(status: str, *, is_hit: bool) -> dict[str, str]:
    """What an answer says of its document whatever the format."""
    return {STATUS_HEADER: status, CACHE_HEADER: "hit" if is_hit else "miss"}

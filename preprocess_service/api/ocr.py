"""Reading a document within one request."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from preprocess_service import metrics
from preprocess_service.api.accept import negotiate_format
from preprocess_service.api.context import (
    CachePolicyDep,
    CallContextDep,
    Services,
    ServicesDep,
)
from preprocess_service.api.guard import document_slot, while_connected, within_deadline
from preprocess_service.api.openapi import DOCUMENT_ERRORS, document_responses, form_with_file
from preprocess_service.api.upload import receive_upload
from preprocess_service.caching.reader import CachePolicy
from preprocess_service.document import Document
from preprocess_service.formatting import FORMATS, Original
from preprocess_service.inference.engine import CallContext
from preprocess_service.options import OcrOptions, parse_options

STATUS_HEADER = "X-OCR-Status"
CACHE_HEADER = "X-OCR-Cache"

router = APIRouter(tags=["ocr"])


@router.post(
    "/ocr/process",
    summary="Read an image or a PDF",
    response_class=Response,
    responses=document_responses(DOCUMENT_ERRORS),
    openapi_extra=form_with_file(OcrOptions),
)
async def process(
    request: Request, services: ServicesDep, context: CallContextDep, policy: CachePolicyDep
) -> Response:
    """The document's text, page by page, in reading order.

    Options are form fields or query parameters. One that cannot be honoured is a 422 that names
    it. A page that cannot be read carries its `problem`, and the document is `partial`.
    """
    with document_slot(services.slots):
        work = _process(request, services, context, policy)
        return await within_deadline(work, services.settings.request_timeout)


async def _process(
    request: Request, services: Services, context: CallContext, policy: CachePolicy
) -> Response:
    max_file_bytes = services.settings.max_file_size_mb << 20
    async with receive_upload(request, max_file_bytes) as upload:
        options = request_options(request, upload.fields)

        async def read() -> Response:
            document = await services.reader.read(upload.file, options, context, policy)
            original = services.pipeline.original(upload.file, options)
            return await document_response(document, options.output_format, original)

        return await while_connected(request, read())


def request_options(request: Request, fields: tuple[tuple[str, str], ...]) -> OcrOptions:
    """The options of form and query; `Accept` chooses the format where they do not.

    Raises:
        InvalidOptionsError: One of them cannot be honoured.
        NotAcceptableError: No format in `Accept` is installed.
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

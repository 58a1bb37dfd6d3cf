"""Reading documents within one request."""

import time

from fastapi import APIRouter
from starlette.responses import Response

from preprocess_service.api.limits.deadlines import while_connected, within_deadline
from preprocess_service.api.openapi.ocr import (
    BATCH_BODY,
    BATCH_RESPONSES,
    FILE_BODY,
    FILE_RESPONSES,
    IMAGE_BODY,
    URL_BODY,
    URL_RESPONSES,
)
from preprocess_service.api.receiving.fields import (
    JSON,
    check_url,
    media_type_of,
    receive_fields,
)
from preprocess_service.api.receiving.forms import receive_files, receive_form
from preprocess_service.api.receiving.options import PDF_OPTIONS, request_options
from preprocess_service.api.requests import caller_of
from preprocess_service.api.routes.answers import (
    answer_document,
    only_images,
    only_pdf,
)
from preprocess_service.api.routes.batches import BatchAnswer, check_batch_options, read_batch
from preprocess_service.api.routes.context import OcrCall, OcrCallDep
from preprocess_service.errors import InvalidRequestError, UnsupportedMediaTypeError
from preprocess_service.fetching.download import DownloadRules, download
from preprocess_service.reading.identify import CheckType

router = APIRouter(tags=["ocr"])


@router.post(
    "/ocr/process",
    summary="Read an image or a PDF",
    response_class=Response,
    responses=FILE_RESPONSES,
    openapi_extra=FILE_BODY,
)
async def process(call: OcrCallDep) -> Response:
    """The document's text, page by page, in reading order.

    Options are form fields or query parameters. One that cannot be honoured is a 422 that names
    it. A page that cannot be read carries its `problem`, and the document is `partial`.
    """
    return await _read_upload(call)


@router.post(
    "/ocr/image",
    summary="Read an image",
    response_class=Response,
    responses=FILE_RESPONSES,
    openapi_extra=IMAGE_BODY,
)
async def image(call: OcrCallDep) -> Response:
    """As `/ocr/process`, for images alone: every frame of a TIFF, GIF or WebP is a page."""
    return await _read_upload(call, only_images, PDF_OPTIONS)


@router.post(
    "/ocr/pdf",
    summary="Read a PDF",
    response_class=Response,
    responses=FILE_RESPONSES,
    openapi_extra=FILE_BODY,
)
async def pdf(call: OcrCallDep) -> Response:
    """As `/ocr/process`, for PDF alone; see `page_range`, `password` and `text_layer`."""
    return await _read_upload(call, only_pdf)


@router.post(
    "/ocr/url",
    summary="Read a document by its URL",
    response_class=Response,
    responses=URL_RESPONSES,
    openapi_extra=URL_BODY,
)
async def url(call: OcrCallDep) -> Response:
    """Fetched by the server: http or https, from public addresses or `URL_ALLOWED_HOSTS` only."""
    call.services.slots.require_free()
    return await within_deadline(_read_url(call), call.services.settings.request_timeout)


@router.post(
    "/ocr/process-batch",
    summary="Read several documents",
    responses=BATCH_RESPONSES,
    openapi_extra=BATCH_BODY,
)
async def process_batch(call: OcrCallDep) -> BatchAnswer:
    """Up to 100 `files`: each gives its document or its problem, and fails no other."""
    services = call.services
    services.slots.require_free()
    deadline = time.monotonic() + services.settings.request_timeout
    async with receive_files(call.request, services.settings) as form:
        options = request_options(call.request, form.fields)
        check_batch_options(options)
        with services.slots.hold():
            work = read_batch(call, form.files, options, deadline)
            return await while_connected(call.request, work)


async def _read_upload(
    call: OcrCall, check_type: CheckType | None = None, without: tuple[str, ...] = ()
) -> Response:
    call.services.slots.require_free()

    async def read() -> Response:
        async with receive_form(call.request, call.services.settings) as form:
            file = form.require_file()
            options = request_options(call.request, form.fields, without)
            return await answer_document(call, file, options, check_type)

    return await within_deadline(read(), call.services.settings.request_timeout)


async def _read_url(call: OcrCall) -> Response:
    request, services, settings = call.request, call.services, call.services.settings
    if media_type_of(request) != JSON:
        raise UnsupportedMediaTypeError("Send a JSON object with `url` (application/json).")
    members = await receive_fields(request)
    links = [value.strip() for name, value in members if name == "url" and value.strip()]
    if len(links) != 1:
        raise InvalidRequestError("The JSON object must have one `url`.")
    check_url("url", links[0])
    fields = [(name, value) for name, value in members if name != "url"]
    options = request_options(request, fields)
    rules = DownloadRules(
        tuple(settings.url_allowed_hosts), settings.max_file_size_mb << 20, settings.url_timeout
    )
    with services.downloads.hold(caller_of(request)):
        async with download(links[0], rules) as file:
            return await answer_document(call, file, options)

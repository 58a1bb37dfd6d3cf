"""Reading documents within one request."""

from fastapi import APIRouter
from starlette.responses import Response

from preprocess_service.api import reading
from preprocess_service.api.batches import BatchAnswer, check_batch_options, read_batch
from preprocess_service.api.context import Asked, AskedDep
from preprocess_service.api.guard import while_connected, within_deadline
from preprocess_service.api.json_body import check_url, read_body, read_json
from preprocess_service.api.ocr_docs import (
    BATCH_BODY,
    BATCH_RESPONSES,
    FILE_BODY,
    FILE_RESPONSES,
    URL_BODY,
    URL_RESPONSES,
)
from preprocess_service.api.upload import receive_batch, receive_upload
from preprocess_service.errors import InvalidRequestError, UnsupportedMediaTypeError
from preprocess_service.fetching.download import DownloadRules, download

router = APIRouter(tags=["ocr"])


@router.post(
    "/ocr/process",
    summary="Read an image or a PDF",
    response_class=Response,
    responses=FILE_RESPONSES,
    openapi_extra=FILE_BODY,
)
async def process(asked: AskedDep) -> Response:
    """The document's text, page by page, in reading order.

    Options are form fields or query parameters. One that cannot be honoured is a 422 that names
    it. A page that cannot be read carries its `problem`, and the document is `partial`.
    """
    return await _read_upload(asked, reading.any_type)


@router.post(
    "/ocr/image",
    summary="Read an image",
    response_class=Response,
    responses=FILE_RESPONSES,
    openapi_extra=FILE_BODY,
)
async def image(asked: AskedDep) -> Response:
    """As `/ocr/process`, for images alone: every frame of a TIFF, GIF or WebP is a page."""
    return await _read_upload(asked, reading.only_images)


@router.post(
    "/ocr/pdf",
    summary="Read a PDF",
    response_class=Response,
    responses=FILE_RESPONSES,
    openapi_extra=FILE_BODY,
)
async def pdf(asked: AskedDep) -> Response:
    """As `/ocr/process`, for PDF alone; see `page_range`, `password` and `text_layer`."""
    return await _read_upload(asked, reading.only_pdf)


@router.post(
    "/ocr/url",
    summary="Read a document by its URL",
    response_class=Response,
    responses=URL_RESPONSES,
    openapi_extra=URL_BODY,
)
async def url(asked: AskedDep) -> Response:
    """Fetched by the server: http or https, from public addresses or `URL_ALLOWED_HOSTS` only."""
    asked.services.slots.require_free()
    return await within_deadline(_read_url(asked), asked.services.settings.request_timeout)


@router.post(
    "/ocr/process-batch",
    summary="Read several documents",
    responses=BATCH_RESPONSES,
    openapi_extra=BATCH_BODY,
)
async def process_batch(asked: AskedDep) -> BatchAnswer:
    """Up to 100 `files`: each gives its document or its problem, and fails no other."""
    services = asked.services
    services.slots.require_free()
    async with receive_batch(asked.request, services.settings) as batch:
        options = reading.request_options(asked.request, batch.fields)
        check_batch_options(options)
        with services.slots.hold():
            return await while_connected(asked.request, read_batch(asked, batch, options))


async def _read_upload(asked: Asked, check_type: reading.CheckType) -> Response:
    asked.services.slots.require_free()

    async def read() -> Response:
        async with receive_upload(asked.request, asked.services.settings) as upload:
            options = reading.request_options(asked.request, upload.fields)
            return await reading.answer(asked, upload.file, options, check_type)

    return await within_deadline(read(), asked.services.settings.request_timeout)


async def _read_url(asked: Asked) -> Response:
    request, services, settings = asked.request, asked.services, asked.services.settings
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaTypeError("Send a JSON object with `url` (application/json).")
    members = read_json(await read_body(request))
    links = [value.strip() for name, value in members if name == "url" and value.strip()]
    if len(links) != 1:
        raise InvalidRequestError("The JSON object must have one `url`.")
    check_url("url", links[0])
    fields = tuple((name, value) for name, value in members if name != "url")
    options = reading.request_options(request, fields)
    rules = DownloadRules(
        tuple(settings.url_allowed_hosts), settings.max_file_size_mb << 20, settings.url_timeout
    )
    with services.downloads.hold():
        async with download(links[0], rules) as file:
            return await reading.answer(asked, file, options)

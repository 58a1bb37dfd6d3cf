"""The parts of the OpenAPI document of `/ocr` that cannot be read off a signature."""

from typing import Any

from preprocess_service import errors
from preprocess_service.api.openapi.document import (
    DOCUMENT_ERRORS,
    document_responses,
    form_with_file,
    problem_responses,
)
from preprocess_service.api.receiving.forms import MAX_FILES
from preprocess_service.api.receiving.options import PDF_OPTIONS
from preprocess_service.options import OcrOptions

_OF_URLS = tuple(error for error in DOCUMENT_ERRORS if error.code.startswith("url_"))
_OF_DISKS = (errors.StorageFullError, errors.StorageUnavailableError)
_OF_UPLOADS = (*(error for error in DOCUMENT_ERRORS if error not in _OF_URLS), *_OF_DISKS)

FILE_BODY = form_with_file(OcrOptions)
IMAGE_BODY = form_with_file(OcrOptions, PDF_OPTIONS)
FILE_RESPONSES = document_responses(_OF_UPLOADS)
URL_RESPONSES = document_responses((*DOCUMENT_ERRORS, *_OF_DISKS))
BATCH_RESPONSES = problem_responses(_OF_UPLOADS)


def _url_body() -> dict[str, Any]:
    documented = form_with_file(OcrOptions)
    form = documented["requestBody"]["content"]["multipart/form-data"]["schema"]
    properties = {name: value for name, value in form["properties"].items() if name != "file"}
    link = {
        "type": "string",
        "format": "uri",
        "maxLength": 2048,
        "description": "Where the document is.",
        "examples": ["https://example.org/scan.pdf"],
    }
    schema = {**form, "required": ["url"], "properties": {"url": link, **properties}}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {**documented, "requestBody": body}


def _batch_body() -> dict[str, Any]:
    documented = form_with_file(OcrOptions)
    form = documented["requestBody"]["content"]["multipart/form-data"]["schema"]
    file = form["properties"].pop("file")
    files = {"type": "array", "items": file, "minItems": 1, "maxItems": MAX_FILES}
    form["properties"] = {"files": files, **form["properties"]}
    form["required"] = ["files"]
    return documented


URL_BODY = _url_body()
BATCH_BODY = _batch_body()

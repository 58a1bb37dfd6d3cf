"""The parts of the OpenAPI document that cannot be read off a signature."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from preprocess_service import errors
from preprocess_service.api.error_handlers import PROBLEM_MEDIA_TYPE
from preprocess_service.api.openapi.formats import DOCUMENT_MODELS, document_content
from preprocess_service.problem import Problem, ServiceError

_OF_ANY_PATH = (
    errors.NotFoundError,
    errors.MethodNotAllowedError,
    errors.MalformedRequestError,
    errors.RequestHeadTooLargeError,
)
_OF_JOBS = ("job_", "jobs_", "storage_", "idempotency_")
#: What reading a document within a request can end with.
DOCUMENT_ERRORS = tuple(
    error
    for error in errors.ERRORS.values()
    if error not in _OF_ANY_PATH and not error.code.startswith(_OF_JOBS)
)

_REFERENCE = "#/components/schemas/{model}"
_PROBLEM = {"$ref": f"#/components/schemas/{Problem.__name__}"}
_REQUEST_ID = {
    "name": "X-Request-ID",
    "in": "header",
    "description": "Comes back in the answer and stands in logs; made up where it is missing "
    "or anything but 1 to 128 of `A-Za-z0-9._:+=@/-`.",
    "schema": {"type": "string"},
}
_CACHE_CONTROL = {
    "name": "Cache-Control",
    "in": "header",
    "description": "`no-cache`: read again, whatever is kept; `no-store`: keep nothing of this.",
    "schema": {"type": "string"},
}


def form_with_file(options: type[BaseModel], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Request body and parameters of a route that takes a file, with options in form or query.

    Those in `without` are left out.
    """
    fields = options.model_json_schema(ref_template=_REFERENCE)["properties"]
    properties = {
        name: _without_null(field) for name, field in fields.items() if name not in without
    }
    file = {"type": "string", "format": "binary", "description": "An image or a PDF."}
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": file, **properties},
        "additionalProperties": False,
    }
    parameters = [
        {"name": name, "in": "query", "schema": value, "description": value.get("description", "")}
        for name, value in properties.items()
        if name != "password"  # a query ends up in the logs of proxies
    ]
    content = {"multipart/form-data": {"schema": form}}
    return {
        "requestBody": {"required": True, "content": content},
        "parameters": [*parameters, _REQUEST_ID, _CACHE_CONTROL],
    }


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of an option that may be left out: forms and queries have no null."""
    kinds = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return field
    kept = {name: value for name, value in field.items() if name not in ("anyOf", "default")}
    return {**kinds[0], **kept}


def document_responses(
    raised: Iterable[type[ServiceError]],
) -> dict[int | str, dict[str, Any]]:
    """The document in every format, and the problem of every error."""
    header = {"schema": {"enum": ["succeeded", "partial"]}, "description": "As in the document."}
    cache = {"schema": {"enum": ["hit", "miss"]}, "description": "As `cache_hit`."}
    headers = {"X-OCR-Status": header, "X-OCR-Cache": cache}
    success = {
        "description": "The document in the chosen format.",
        "content": document_content(),
        "headers": headers,
    }
    return {200: success, **problem_responses(raised)}


def problem_responses(
    raised: Iterable[type[ServiceError]],
) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of a route that raises these errors, with an example of each."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in raised:
        content = {PROBLEM_MEDIA_TYPE: {"schema": _PROBLEM, "examples": {}}}
        response = responses.setdefault(int(error.status), {"description": "", "content": content})
        example = error(error.title).problem("0f6a4f0c7d2b4c57b1f1b6b0c8f6f0aa")
        examples = response["content"][PROBLEM_MEDIA_TYPE]["examples"]
        examples[error.code] = {"summary": error.title, "value": example.model_dump()}
        response["description"] = ", ".join(item["summary"] for item in examples.values())
        if error.retry_after_seconds is not None:
            schema = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
            response["headers"] = {"Retry-After": schema}
    return responses


def add_openapi(app: FastAPI) -> None:
    """Give the app its OpenAPI document, schemas of documents and problems included."""

    def make() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            _, shared = models_json_schema(
                [(model, "serialization") for model in (*DOCUMENT_MODELS, Problem)],
                ref_template=_REFERENCE,
            )
            schema.setdefault("components", {}).setdefault("schemas", {}).update(shared["$defs"])
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = make  # type: ignore[method-assign]

"""The parts of the OpenAPI document of jobs that cannot be read off a signature."""

from typing import Any

from preprocess_service import errors
from preprocess_service.api.openapi.document import (
    DOCUMENT_ERRORS,
    document_responses,
    form_with_file,
    problem_responses,
)
from preprocess_service.jobs.view import JobView
from preprocess_service.options import OcrOptions

STORE_ERRORS = (
    *errors.OF_ANY_CALLER,
    errors.InternalError,
    errors.InvalidRequestError,
    errors.JobsUnavailableError,
)
JOB_ERRORS = (*STORE_ERRORS, errors.JobNotFoundError)
_SUBMIT_ERRORS = (
    *STORE_ERRORS,
    errors.InvalidOptionsError,
    errors.InvalidDocumentError,
    errors.IdempotencyKeyReusedError,
    errors.UnsupportedMediaTypeError,
    errors.DocumentTooLargeError,
    errors.QueueFullError,
    errors.DeadlineExceededError,
    errors.UploadTooSlowError,
    errors.StorageUnavailableError,
    errors.StorageFullError,
)
# All else that a document can fail with becomes `job_abandoned` when the job ends.
_ENDS_OF_JOBS = tuple(
    error for error in DOCUMENT_ERRORS if error.status < 500 and not error.retryable
)
_VIEW = {"$ref": f"#/components/schemas/{JobView.__name__}"}
_LOCATION = {"schema": {"type": "string"}, "description": "Path of the job's status."}
_SUBMITTED = {"$ref": "#/components/schemas/SubmittedJob"}

SUBMIT_RESPONSES: dict[int | str, dict[str, Any]] = {
    202: {"description": "Accepted.", "headers": {"Location": _LOCATION}},
    200: {
        "description": "Accepted before, under the same `Idempotency-Key`.",
        "headers": {"Location": _LOCATION},
        "content": {"application/json": {"schema": _SUBMITTED}},
    },
    **problem_responses(_SUBMIT_ERRORS),
}
RESULT_RESPONSES: dict[int | str, dict[str, Any]] = {
    **document_responses(
        (
            *_ENDS_OF_JOBS,
            *JOB_ERRORS,
            errors.DeadlineExceededError,
            errors.QueueFullError,
            errors.JobCanceledError,
            errors.JobAbandonedError,
            errors.StorageUnavailableError,
            errors.StorageFullError,
        )
    ),
    202: {
        "description": "Not finished.",
        "content": {"application/json": {"schema": _VIEW}},
        "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
    },
}
#: One server-sent event, as OpenAPI 3.2 describes the items of such a stream.
_EVENT = {
    "type": "object",
    "required": ["event", "id", "data"],
    "properties": {
        "event": {"enum": ["page", "end"]},
        "id": {"type": "string"},
        "data": {"type": "string", "description": "JSON: the finished page, at the end the job."},
    },
}
EVENTS_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`page` events, then `end`.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    },
    204: {"description": "`Last-Event-ID` was the end."},
    **problem_responses((*JOB_ERRORS, errors.QueueFullError)),
}
CANCEL_RESPONSES: dict[int | str, dict[str, Any]] = {
    202: {"description": "It was being read, which stops within a page."},
    204: {"description": "It was waiting, and is canceled; or it had ended before."},
    **problem_responses(JOB_ERRORS),
}


def _submit_body() -> dict[str, Any]:
    documented = form_with_file(OcrOptions)
    content = documented["requestBody"]["content"]
    form = content["multipart/form-data"]["schema"]
    url = {"type": "string", "format": "uri", "maxLength": 2048}
    links = {
        "url": {**url, "description": "Where to fetch the document, instead of `file`."},
        "callback_url": {**url, "description": "Is told when the job ends (signed POST)."},
    }
    options = {k: v for k, v in form["properties"].items() if k != "file"}
    form["properties"] |= links
    form["required"] = []
    form["oneOf"] = [{"required": ["file"]}, {"required": ["url"]}]
    content["application/json"] = {
        "schema": {
            "type": "object",
            "required": ["url"],
            "properties": {**links, **options},
            "additionalProperties": False,
        }
    }
    documented["parameters"].append(
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Repeating a submission with the same key finds the first job.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    )
    return documented


SUBMIT_BODY = _submit_body()

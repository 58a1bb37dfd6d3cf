"""Everything that can go wrong for a caller: one class per row of the error table.

The class says the HTTP status, whether trying again can help and whether the other pages of a
document are still worth reading. `docs/api.md` lists the same rows; a test keeps them equal.
"""

from http import HTTPStatus

from preprocess_service.problem import ServiceError


class InternalError(ServiceError):
    """Anything unforeseen: generic text outside, the cause in the log."""


class NotFoundError(ServiceError):
    """No such path."""

    code, title, status = "not_found", "Not found", HTTPStatus.NOT_FOUND


class MethodNotAllowedError(ServiceError):
    """The path exists, the method does not."""

    code, title, status = "method_not_allowed", "Method not allowed", HTTPStatus.METHOD_NOT_ALLOWED


class MalformedRequestError(ServiceError):
    """The bytes are no HTTP request; the connection ends."""

    code, title, status = "malformed_request", "Malformed request", HTTPStatus.BAD_REQUEST


class RequestHeadTooLargeError(ServiceError):
    """The head of the request, or the trailers of its body, are more than is taken."""

    code, title = "request_head_too_large", "Request head too large"
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


class NotAcceptableError(ServiceError):
    """No format that this server writes is in `Accept`."""

    code, title, status = "not_acceptable", "Not acceptable", HTTPStatus.NOT_ACCEPTABLE


class InvalidRequestError(ServiceError):
    """The body is not the form that the endpoint takes, or a parameter is none of its own."""

    code, title, status = "invalid_request", "Invalid request", HTTPStatus.UNPROCESSABLE_ENTITY


class InvalidOptionsError(ServiceError):
    """An option is unknown, ill-formed or cannot be honoured here."""

    code, title, status = "invalid_options", "Invalid options", HTTPStatus.UNPROCESSABLE_ENTITY


class UnsupportedMediaTypeError(ServiceError):
    """The bytes are no document type that is read here."""

    code, title = "unsupported_media_type", "Unsupported media type"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class DocumentTooLargeError(ServiceError):
    """More bytes than are taken."""

    code, title = "document_too_large", "Document too large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooManyPagesError(ServiceError):
    """More pages than are read in one request."""

    code, title = "too_many_pages", "Too many pages"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class PageTooLargeError(ServiceError):
    """A page has more pixels than are decoded or drawn."""

    code, title, status = "page_too_large", "Page too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    page_alone = True


class ResultTooLargeError(ServiceError):
    """A page's text, or that of the pages before it, takes more bytes than are given."""

    code, title = "result_too_large", "Result too large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    page_alone = True


class InvalidDocumentError(ServiceError):
    """The bytes, or one page of them, cannot be read as what they claim to be."""

    code, title, status = "invalid_document", "Invalid document", HTTPStatus.UNPROCESSABLE_ENTITY
    page_alone = True


class EncryptedDocumentError(ServiceError):
    """A password is needed, or the one given is wrong."""

    code, title = "encrypted_document", "Encrypted document"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class DocumentTooCostlyError(ServiceError):
    """Decoding or drawing took too long, took too much memory or crashed its process.

    It ends the document: its other pages would take their time from other callers' documents.
    """

    code, title = "document_too_costly", "Document too costly"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class QueueFullError(ServiceError):
    """As much of its kind is in work as may be, of all callers or of this one."""

    code, title, status = "queue_full", "Too much at once", HTTPStatus.TOO_MANY_REQUESTS
    retryable = True
    retry_after_seconds = 2


class DeadlineExceededError(ServiceError):
    """The request took longer than it may."""

    code, title, status = "deadline_exceeded", "Deadline exceeded", HTTPStatus.GATEWAY_TIMEOUT
    retryable = True


class EngineUnavailableError(ServiceError):
    """Triton does not answer, or a model is not loaded."""

    code, title = "engine_unavailable", "Inference server unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    retryable = True
    retry_after_seconds = 5


class EngineTimeoutError(ServiceError):
    """Triton took too long over one page."""

    code, title, status = "engine_timeout", "Inference timed out", HTTPStatus.GATEWAY_TIMEOUT
    retryable = True
    page_alone = True


class EngineFailedError(ServiceError):
    """Triton failed on one page."""

    code, title, status = "engine_failed", "Inference failed", HTTPStatus.BAD_GATEWAY
    page_alone = True


class EngineContractError(ServiceError):
    """Triton and this service do not agree on the tensors: our fault, not the caller's."""

    code, title = "engine_contract", "Inference contract broken"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    page_alone = True


class JobNotFoundError(ServiceError):
    """No such job, or its retention is over."""

    code, title, status = "job_not_found", "Job not found", HTTPStatus.NOT_FOUND


class JobCanceledError(ServiceError):
    """The job was canceled, so it has no result."""

    code, title, status = "job_canceled", "Job canceled", HTTPStatus.CONFLICT


class JobAbandonedError(ServiceError):
    """The job was given up, a dead letter, or its upload is gone: submit the document again."""

    # Below 500: what stands there is asked for again by clients, and this stays as it is.
    code, title, status = "job_abandoned", "Job given up", HTTPStatus.CONFLICT

    @classmethod
    def after(cls, failure: ServiceError) -> "JobAbandonedError":
        """The end of a job that failed, last of all, with `failure`."""
        return cls(
            f"The job was given up; its last attempt ended with {failure.code}: {failure.detail} "
            "Submit the document again."
        )


class IdempotencyKeyReusedError(ServiceError):
    """The `Idempotency-Key` came before with another document or other options."""

    code, title = "idempotency_key_reused", "Idempotency key reused"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class JobsUnavailableError(ServiceError):
    """Jobs are not set up here (`REDIS_URL`), or their store does not answer."""

    code, title = "jobs_unavailable", "Jobs unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    retryable = True
    retry_after_seconds = 5


class StorageUnavailableError(ServiceError):
    """The place where a document is kept while it is in work cannot be used."""

    code, title = "storage_unavailable", "Storage unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    retryable = True
    retry_after_seconds = 5


class StorageFullError(ServiceError):
    """There is no room for the document, or for its pages."""

    code, title, status = "storage_full", "Storage full", HTTPStatus.INSUFFICIENT_STORAGE
    retryable = True
    retry_after_seconds = 60


class UnauthorizedError(ServiceError):
    """No API key came with the request, or none that is known here."""

    code, title, status = "unauthorized", "API key needed", HTTPStatus.UNAUTHORIZED


class RateLimitedError(ServiceError):
    """More requests, or wrong API keys, in a minute than this caller may send."""

    code, title, status = "rate_limited", "Too many requests", HTTPStatus.TOO_MANY_REQUESTS
    retryable = True
    retry_after_seconds = 1


class UploadTooSlowError(ServiceError):
    """The body arrived more slowly than it must."""

    code, title, status = "upload_too_slow", "Upload too slow", HTTPStatus.REQUEST_TIMEOUT
    retryable = True


class ShuttingDownError(ServiceError):
    """This process finishes what it has begun and takes nothing new."""

    code, title, status = "shutting_down", "Shutting down", HTTPStatus.SERVICE_UNAVAILABLE
    retryable = True
    retry_after_seconds = 5


class UrlForbiddenError(ServiceError):
    """The URL, or a redirect of it, leads where this server fetches nothing from."""

    code, title, status = "url_forbidden", "URL forbidden", HTTPStatus.FORBIDDEN


class UrlRefusedError(ServiceError):
    """There is no such host, or it says that there is nothing to have: it answered 4xx."""

    code, title, status = "url_refused", "URL refused", HTTPStatus.UNPROCESSABLE_ENTITY


class UrlUnreachableError(ServiceError):
    """The host of the URL cannot be looked up or reached, or does not answer as it should."""

    code, title, status = "url_unreachable", "URL unreachable", HTTPStatus.BAD_GATEWAY
    retryable = True


class UrlTimeoutError(ServiceError):
    """Fetching the URL took too long."""

    code, title, status = "url_timeout", "URL timed out", HTTPStatus.GATEWAY_TIMEOUT
    retryable = True


ERRORS: dict[str, type[ServiceError]] = {
    error.code: error for error in ServiceError.__subclasses__()
}


#: What any request that costs something can end with.
OF_ANY_CALLER = (UnauthorizedError, RateLimitedError, ShuttingDownError)


def error_from_code(code: str, detail: str) -> ServiceError:
    """The error of that row, for failures that come from another process."""
    return ERRORS.get(code, InternalError)(detail)

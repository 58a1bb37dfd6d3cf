"""Everything that can go wrong for a caller: one class per row of the error table.

The class says the HTTP status, whether trying again can help and whether the other pages of a
document are still worth reading. `docs/api.md` lists the same rows; a test keeps them equal.
"""

from http import HTTPStatus
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """RFC 9457 problem details, the body of every error and of a page that failed."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(examples=["urn:ocr-server:problem:document_too_large"])
    title: str = Field(examples=["Document too large"])
    status: int = Field(examples=[413])
    detail: str = Field(examples=["The file is larger than 100 MB (MAX_FILE_SIZE_MB)."])
    code: str = Field(examples=["document_too_large"])
    request_id: str = Field(examples=["0f6a4f0c7d2b4c57b1f1b6b0c8f6f0aa"])
    retryable: bool = Field(examples=[False])


class ServiceError(Exception):
    """A failure that a caller is told about; `str()` is the public detail, never the cause."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = HTTPStatus.INTERNAL_SERVER_ERROR
    retryable: ClassVar[bool] = False
    #: Only this page is lost: the document goes on and ends `partial`.
    page_alone: ClassVar[bool] = False
    #: What `Retry-After` says, where the status has one; a failure may know better than its class.
    retry_after_seconds: int | None = None

    def __init__(self, detail: str = "", retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        if retry_after_seconds is not None:
            self.retry_after_seconds = retry_after_seconds

    @property
    def detail(self) -> str:
        """What failed, why, and what to change."""
        return str(self) or self.title

    def problem(self, request_id: str) -> Problem:
        """This failure as the body that a caller sees."""
        return Problem(
            type=f"urn:ocr-server:problem:{self.code}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            code=self.code,
            request_id=request_id,
            retryable=self.retryable,
        )


class InternalError(ServiceError):
    """Anything unforeseen: generic text outside, the cause in the log."""


class NotFoundError(ServiceError):
    """No such path."""

    code, title, status = "not_found", "Not found", HTTPStatus.NOT_FOUND


class MethodNotAllowedError(ServiceError):
    """The path exists, the method does not."""

    code, title, status = "method_not_allowed", "Method not allowed", HTTPStatus.METHOD_NOT_ALLOWED


class NotAcceptableError(ServiceError):
    """No format that this server writes is in `Accept`."""

    code, title, status = "not_acceptable", "Not acceptable", HTTPStatus.NOT_ACCEPTABLE


class InvalidRequestError(ServiceError):
    """The body is not the form that the endpoint takes."""

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

    code, title, status = (
        "too_many_pages",
        "Too many pages",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


class PageTooLargeError(ServiceError):
    """A page has more pixels than are decoded or drawn."""

    code, title, status = "page_too_large", "Page too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
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
    """As many documents as allowed are being read."""

    code, title, status = "queue_full", "Too many documents at once", HTTPStatus.TOO_MANY_REQUESTS
    retryable = True
    retry_after_seconds = 2


class DeadlineExceededError(ServiceError):
    """The request took longer than it may."""

    code, title, status = "deadline_exceeded", "Deadline exceeded", HTTPStatus.GATEWAY_TIMEOUT
    retryable = True


class EngineUnavailableError(ServiceError):
    """Triton does not answer, or a model is not loaded."""

    code, title, status = (
        "engine_unavailable",
        "Inference server unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
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


class JobNotFoundError(ServiceError):
    """No such job, or its retention is over."""

    code, title, status = "job_not_found", "Job not found", HTTPStatus.NOT_FOUND


class JobCanceledError(ServiceError):
    """The job was canceled, so it has no result."""

    code, title, status = "job_canceled", "Job canceled", HTTPStatus.CONFLICT


class JobAbandonedError(ServiceError):
    """The job was given up after its last attempt: a dead letter."""

    code, title = "job_abandoned", "Job given up"
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class IdempotencyKeyReusedError(ServiceError):
    """The `Idempotency-Key` came before with another document or other options."""

    code, title = "idempotency_key_reused", "Idempotency key reused"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class JobsUnavailableError(ServiceError):
    """Jobs are not set up here (`REDIS_URL`), or their store does not answer."""

    code, title, status = (
        "jobs_unavailable",
        "Jobs unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    retryable = True
    retry_after_seconds = 5


class StorageUnavailableError(ServiceError):
    """The store of uploads cannot be used."""

    code, title, status = (
        "storage_unavailable",
        "Storage unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    retryable = True
    retry_after_seconds = 5


class StorageFullError(ServiceError):
    """There is no room for the upload."""

    code, title, status = "storage_full", "Storage full", HTTPStatus.INSUFFICIENT_STORAGE
    retryable = True


class UnauthorizedError(ServiceError):
    """No API key came with the request, or none that is known here."""

    code, title, status = "unauthorized", "API key needed", HTTPStatus.UNAUTHORIZED


class RateLimitedError(ServiceError):
    """More requests in a minute than this caller may send."""

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
    """The host of the URL says that there is nothing to have: it answered 4xx."""

    code, title, status = "url_refused", "URL refused", HTTPStatus.UNPROCESSABLE_ENTITY


class UrlUnreachableError(ServiceError):
    """The host of the URL cannot be found or reached, or does not answer as it should."""

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

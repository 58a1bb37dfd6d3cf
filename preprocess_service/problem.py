"""A failure as its caller sees it: RFC 9457 problem details."""

from http import HTTPStatus
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

_QUOTED_CHARACTERS = 80


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


def quoted(value: object) -> str:
    """What the caller sent, for a message: as Python writes it, and never more than a line."""
    text = repr(value)
    return text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}…"

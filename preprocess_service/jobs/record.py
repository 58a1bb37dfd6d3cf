"""What is kept of a job, and how it becomes the fields of a Redis hash."""

import secrets
import time
from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from preprocess_service.errors import Problem
from preprocess_service.options import OcrOptions

JobStatus = Literal["queued", "running", "succeeded", "failed", "canceled"]
STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
UNFINISHED: tuple[JobStatus, ...] = ("queued", "running")
WebhookState = Literal["pending", "delivered", "failed"]


class Submission(BaseModel):
    """What was asked for; it never changes.

    Attributes:
        created_at: Seconds since 1970, like every time here.
        source_url: Where the document is to be fetched, if it was not uploaded.
        fingerprint: Of everything that makes two submissions the same.
        idempotency_key: A digest of the caller's.
    """

    model_config = ConfigDict(frozen=True)

    job_id: str
    created_at: float
    deadline_at: float
    options: OcrOptions
    request_id: str
    traceparent: str | None = None
    source_url: str | None = None
    callback_url: str | None = None
    fingerprint: str = ""
    idempotency_key: str | None = None


class Job(BaseModel):
    """A submission and what has become of it.

    Attributes:
        upload: Key of the document in the store of uploads, once it is there.
        release: Of the models that have read its pages so far.
        attempts: Runs since the last page was finished.
        document: The finished document without its pages, as JSON.
        dead_letter: Given up although trying again might have helped.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    submission: Submission
    status: JobStatus
    upload: str | None = None
    pages_done: int = 0
    pages_total: int | None = None
    release: int | None = None
    attempts: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    problem: Problem | None = None
    dead_letter: bool = False
    document: str | None = None
    webhook: WebhookState | None = None
    webhook_attempts: int = 0

    @property
    def job_id(self) -> str:
        """The name of the job."""
        return self.submission.job_id

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status not in UNFINISHED


class PageEvent(BaseModel):
    """One finished page, in the order of finishing."""

    page: int = Field(ge=1, description="Number of the page, from 1.")
    source: str = Field(description="ocr or text_layer.")
    lines: int = Field(ge=0)
    confidence: float | None
    problem: str | None = Field(default=None, description="Code of the page's problem.")


def new_job_id() -> str:
    """A name that cannot be guessed; later names sort behind earlier ones."""
    return f"{int(time.time() * 1000):012x}{secrets.token_hex(10)}"


def parse_job(fields: Mapping[bytes, bytes]) -> Job:
    """The job that a Redis hash holds."""
    values: dict[str, Any] = {name.decode(): value.decode() for name, value in fields.items()}
    values["submission"] = Submission.model_validate_json(values["submission"])
    if problem := values.get("problem"):
        values["problem"] = Problem.model_validate_json(problem)
    return Job.model_validate(values)

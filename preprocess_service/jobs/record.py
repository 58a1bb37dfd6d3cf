"""What is kept of a job, and how it becomes the fields of a Redis hash."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from preprocess_service.options import OcrOptions
from preprocess_service.problem import Problem

JobStatus = Literal["queued", "running", "succeeded", "failed", "canceled"]
STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
UNFINISHED: tuple[JobStatus, ...] = ("queued", "running")
WebhookState = Literal["pending", "delivered", "failed"]


class Submission(BaseModel):
    """What was asked for; it never changes.

    Attributes:
        created_at: Seconds since 1970, like every time here.
        options: Without the password.
        sealed_password: Opened by the key that lies with the uploads.
        caller: Who asked, by the digest that `caller_of` gives.
        source_url: Where the document is to be fetched, if it was not uploaded.
        fingerprint: Of everything that makes two submissions the same.
        idempotency_key: A digest of the caller and what the caller gave.
    """

    model_config = ConfigDict(frozen=True)

    job_id: str
    created_at: float
    deadline_at: float
    options: OcrOptions
    request_id: str
    traceparent: str | None = None
    caller: str = ""
    sealed_password: str | None = None
    source_url: str | None = None
    callback_url: str | None = None
    fingerprint: str = ""
    idempotency_key: str | None = None


class Job(BaseModel):
    """A submission and what has become of it.

    Attributes:
        upload: Key of the document in the store of uploads, once it is there.
        password_key: Key in the store of uploads of what opens the password.
        text_bytes: What its finished pages count for in the budget of its text.
        release: Of the models that have read its pages so far.
        attempts: Runs since the last page was finished.
        dead_letter: Given up although trying again might have helped.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    submission: Submission
    status: JobStatus
    upload: str | None = None
    password_key: str | None = None
    pages_done: int = 0
    pages_total: int | None = None
    text_bytes: int = 0
    release: int | None = None
    attempts: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    problem: Problem | None = None
    dead_letter: bool = False
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


@dataclass(frozen=True)
class Run:
    """One attempt at a job; a later one takes the job from it."""

    job: Job
    name: str


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


#: Of the Redis hash of a job; beside them stands the finished document without its pages, as JSON.
JOB_FIELDS: tuple[str, ...] = tuple(Job.model_fields)


def parse_job(found: Sequence[bytes | None]) -> Job | None:
    """The job that a Redis hash holds; None where none of `JOB_FIELDS` was found."""
    values: dict[str, Any] = {
        name: value.decode()
        for name, value in zip(JOB_FIELDS, found, strict=True)
        if value is not None
    }
    if "submission" not in values:
        return None
    values["submission"] = Submission.model_validate_json(values["submission"])
    if problem := values.get("problem"):
        values["problem"] = Problem.model_validate_json(problem)
    return Job.model_validate(values)

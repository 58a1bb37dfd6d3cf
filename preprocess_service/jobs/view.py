"""What a caller is told of a job, in answers and in messages to its `callback_url`."""

from datetime import datetime, timezone

from pydantic import BaseModel, Field

from preprocess_service.jobs.record import Job, JobStatus, WebhookState
from preprocess_service.problem import Problem


class JobView(BaseModel):
    """Where a job stands."""

    job_id: str = Field(examples=["0193b1c2d3e4a1b2c3d4e5f60718293a"])
    status: JobStatus
    pages_done: int = Field(ge=0, description="Pages that are finished, for good.")
    pages_total: int | None = Field(
        description="Pages to be read; null until the document was opened."
    )
    attempts: int = Field(description="Runs since the last finished page.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime = Field(description="Not finished by then, the job fails.")
    problem: Problem | None = Field(description="Why the job failed.")
    dead_letter: bool = Field(
        description="Failed for no fault of the caller, after its last attempt."
    )
    webhook: WebhookState | None = Field(description="Whether `callback_url` has been told.")
    webhook_attempts: int


def view_job(job: Job) -> JobView:
    """The job without what it holds of the document."""
    return JobView(
        job_id=job.job_id,
        status=job.status,
        pages_done=job.pages_done,
        pages_total=job.pages_total,
        attempts=max(job.attempts, 0),
        created_at=_time(job.submission.created_at),
        started_at=_time(job.started_at) if job.started_at else None,
        finished_at=_time(job.finished_at) if job.finished_at else None,
        deadline_at=_time(job.submission.deadline_at),
        problem=job.problem,
        dead_letter=job.dead_letter,
        webhook=job.webhook,
        webhook_attempts=job.webhook_attempts,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)

"""The names of the keys in Redis that hold jobs."""

from preprocess_service.jobs.record import JobStatus

_PREFIX = "ocr:jobs"
#: Every change of a job is told here, by its id.
CHANGES = f"{_PREFIX}:changes"
ALL, DEAD_LETTERS = f"{_PREFIX}:all", f"{_PREFIX}:dead-letters"
EXPIRY, WEBHOOKS = f"{_PREFIX}:expiry", f"{_PREFIX}:webhooks"
#: Where a job may stand, beside those of its caller and its status.
INDEXES = (ALL, DEAD_LETTERS, WEBHOOKS, EXPIRY)


def keys_of(job_id: str, idempotency_key: str | None) -> list[str]:
    """The keys of one job alone; an empty name where it has no idempotency key."""
    return [record(job_id), pages(job_id), events(job_id), idempotency(idempotency_key)]


def record(job_id: str) -> str:
    """The key of a job's record, a hash."""
    return f"ocr:job:{job_id}"


def pages(job_id: str) -> str:
    """The key of a job's finished pages by number, a hash."""
    return f"ocr:job:{job_id}:pages"


def events(job_id: str) -> str:
    """The key of a job's page events in the order of finishing, a list."""
    return f"ocr:job:{job_id}:events"


def index(status: JobStatus) -> str:
    """The key of the jobs that have a status, a sorted set."""
    return f"{_PREFIX}:{status}"


def owned(caller: str) -> str:
    """The key of the jobs that a caller has submitted, a sorted set."""
    return f"{_PREFIX}:of:{caller}"


def idempotency(key: str | None) -> str:
    """The key of the job that was submitted with an idempotency key."""
    return f"ocr:idempotency:{key}" if key else ""

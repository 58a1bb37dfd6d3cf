"""Telling `callback_url` how a job ended: signed after Standard Webhooks, tried for hours."""

import asyncio
import json
import logging
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
from standardwebhooks.webhooks import Webhook

from preprocess_service import metrics
from preprocess_service.fetching.download import FOREIGN_ERRORS
from preprocess_service.jobs.record import Job
from preprocess_service.jobs.retrying import Backoff, TryAgain
from preprocess_service.jobs.store import JobStore
from preprocess_service.jobs.view import view_job
from preprocess_service.problem import ServiceError

# A message that waits for others to its host looks again the more rarely the longer it has waited.
_SHORTEST_WAIT, _LONGEST_WAIT = 1.0, 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """How messages are signed, and how long they are tried.

    Attributes:
        timeout_seconds: For one attempt, from looking up the host to the status of its answer.
        most_per_host: Attempts of this process at once.
    """

    secret: str
    backoff: Backoff
    give_up_seconds: float
    timeout_seconds: float
    most_per_host: int


class Webhooks:
    """Sends one message per finished job with a `callback_url`, at least once.

    Repetitions carry the same `webhook-id`, by which a receiver knows them.
    """

    def __init__(self, store: JobStore, client: httpx.AsyncClient, delivery: Delivery) -> None:
        self._store = store
        self._client = client
        self._delivery = delivery
        self._sending: Counter[str] = Counter()

    async def deliver(self, job_id: str) -> None:
        """Tell how the job ended, if that is still to be told.

        Raises:
            TryAgain: The receiver did not take it, or is being told of other jobs.
        """
        job = await self._store.find(job_id)
        if job is None or job.webhook != "pending":
            return
        host = urlsplit(job.submission.callback_url or "").hostname or ""
        if self._sending[host] >= self._delivery.most_per_host and not self._is_over(job):
            raise TryAgain(_wait_seconds(job))
        self._sending[host] += 1
        try:
            answer = await self._send(job)
        finally:
            self._sending[host] -= 1
        await self._settle(job, answer)

    async def _settle(self, job: Job, answer: int | None) -> None:
        job_id = job.job_id
        await self._store.note(job_id, webhook_attempts=job.webhook_attempts + 1)
        if answer is not None and answer < HTTPStatus.MULTIPLE_CHOICES:
            metrics.WEBHOOKS.labels("delivered").inc()
            await self._store.end_webhook(job, "delivered")
        elif answer == HTTPStatus.GONE or self._is_over(job):
            _log.warning("webhook given up", extra={"job_id": job_id, "status": answer})
            metrics.WEBHOOKS.labels("given_up").inc()
            await self._store.end_webhook(job, "failed")
        else:
            _log.info("webhook not taken", extra={"job_id": job_id, "status": answer})
            metrics.WEBHOOKS.labels("retried").inc()
            raise TryAgain(self._delivery.backoff.delay(job.webhook_attempts + 1))

    async def _send(self, job: Job) -> int | None:
        """The status of the answer, or None without one."""
        try:
            # The client's own limits are for each piece, of which a receiver may send any number.
            return await asyncio.wait_for(self._post(job), self._delivery.timeout_seconds)
        except (*FOREIGN_ERRORS, ServiceError):
            return None

    async def _post(self, job: Job) -> int:
        body = message_of(job)
        headers = sign(self._delivery.secret, f"msg_{job.job_id}", body)
        url = job.submission.callback_url or ""
        # Only the status counts: a body without an end must not be read.
        async with self._client.stream("POST", url, content=body, headers=headers) as answer:
            return answer.status_code

    def _is_over(self, job: Job) -> bool:
        return time.time() > (job.finished_at or 0) + self._delivery.give_up_seconds


def _wait_seconds(job: Job) -> float:
    waited = time.time() - (job.finished_at or 0)
    return min(max(waited / 2, _SHORTEST_WAIT), _LONGEST_WAIT)


def message_of(job: Job) -> bytes:
    """The body: the event's type, its time and the job as `/status` shows it."""
    finished_at = datetime.fromtimestamp(job.finished_at or time.time(), timezone.utc)
    data = view_job(job).model_dump(mode="json", exclude={"webhook", "webhook_attempts"})
    body = {"type": f"job.{job.status}", "timestamp": finished_at.isoformat(), "data": data}
    return json.dumps(body, ensure_ascii=False).encode()


def sign(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    """The headers of a signed message."""
    now = datetime.now(timezone.utc)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body.decode()),
    }

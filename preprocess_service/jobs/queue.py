"""The durable tasks behind jobs, on Redis streams: what Docket runs, and who it runs it with."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from docket import CurrentDocket, Depends, Docket, Perpetual, Retry, TaskCall

from preprocess_service.jobs.retention import Retention
from preprocess_service.jobs.retrying import TryAgain
from preprocess_service.jobs.runner import JobRunner
from preprocess_service.jobs.store import JobStore
from preprocess_service.jobs.webhooks import Webhooks

#: Name of the queue in Redis.
QUEUE = "ocr:queue"
_TIDY_EVERY = timedelta(seconds=30)
_AFTER_REDIS_FAILED = timedelta(seconds=2)
_CONNECT_SECONDS = 2.0
# The records of jobs are the store's; the queue's own traces only help to look into it.
_KEEP_TRACES = timedelta(minutes=5)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What a worker process runs its tasks with."""

    store: JobStore
    runner: JobRunner
    webhooks: Webhooks | None
    retention: Retention


#: Set by the worker before it takes tasks.
work_var: ContextVar[Work] = ContextVar("work")


def _work() -> Work:
    return work_var.get()


# Docket looks for its own kinds of default value and puts in what they stand for.
_WORK: Work = Depends(_work)
_DOCKET: Docket = CurrentDocket()
_RETRY = Retry(attempts=None, delay=_AFTER_REDIS_FAILED)
_ALWAYS = Perpetual(every=_TIDY_EVERY, automatic=True)


async def run_job(
    job_id: str,
    work: Work = _WORK,
    docket: Docket = _DOCKET,
    retry: Retry = _RETRY,
) -> None:
    """Read a job, then tell its caller."""
    try:
        await work.runner.run(job_id)
    except TryAgain as request:
        retry.after(timedelta(seconds=request.delay_seconds))
    await tell(docket, work.store, job_id)


async def deliver_webhook(
    job_id: str,
    work: Work = _WORK,
    retry: Retry = _RETRY,
) -> None:
    """Tell the caller of a finished job."""
    if work.webhooks is None:
        _log.error("WEBHOOK_SECRET is missing in this worker", extra={"job_id": job_id})
        return
    try:
        await work.webhooks.deliver(job_id)
    except TryAgain as request:
        retry.after(timedelta(seconds=request.delay_seconds))


async def tidy(
    work: Work = _WORK,
    docket: Docket = _DOCKET,
    perpetual: Perpetual = _ALWAYS,
) -> None:
    """Enforce retention, and queue what a crash left without its task."""
    store = work.store
    jobs = [_job_task(docket, job_id) for job_id in await store.unfinished()]
    messages = [_webhook_task(docket, job_id) for job_id in await store.pending_webhooks()]
    await docket.add_many([*jobs, *messages])
    await work.retention.enforce()


TASKS = (run_job, deliver_webhook, tidy)


@asynccontextmanager
async def open_docket(url: str) -> AsyncIterator[Docket]:
    """The queue; nothing has to answer before it is used."""
    docket = Docket(QUEUE, url, execution_ttl=_KEEP_TRACES)
    for task in TASKS:
        docket.register(task)
    async with docket:
        try:
            yield docket
        finally:
            # Docket's own monitor loses a cancel that comes while it still connects.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(docket.wait_for_strikes_loaded(), _CONNECT_SECONDS)


async def enqueue(docket: Docket, job_id: str) -> None:
    """Have some worker read the job; once, however often this is said."""
    await docket.add_many([_job_task(docket, job_id)])


async def tell(docket: Docket, store: JobStore, job_id: str) -> None:
    """Have some worker tell the caller, if the job is finished and has one."""
    job = await store.find(job_id)
    if job is not None and job.webhook == "pending":
        await docket.add_many([_webhook_task(docket, job_id)])


async def dequeue(docket: Docket, job_id: str) -> None:
    """Take the job from the queue, or from the worker that reads it."""
    await docket.cancel(job_id)


def _job_task(docket: Docket, job_id: str) -> TaskCall:
    return docket.call(run_job, key=job_id)(job_id)


def _webhook_task(docket: Docket, job_id: str) -> TaskCall:
    return docket.call(deliver_webhook, key=f"{job_id}:webhook")(job_id)

"""The durable tasks behind jobs, on Redis streams: what Docket runs, and who it runs it with."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from docket import Depends, Docket, Perpetual, Retry, TaskCall

from preprocess_service.jobs.retention import Retention
from preprocess_service.jobs.retrying import TryAgain
from preprocess_service.jobs.runner import JobRunner
from preprocess_service.jobs.store import JobStore
from preprocess_service.jobs.webhooks import Webhooks
from preprocess_service.redis_pool import MOST_CONNECTIONS

# Names in Redis.
_JOBS, _MESSAGES = "ocr:queue", "ocr:messages"
_TIDY_EVERY = timedelta(seconds=30)
_AFTER_REDIS_FAILED = timedelta(seconds=2)
_CONNECT_SECONDS = 2.0
# The records of jobs are the store's; the queue's own traces only help to look into it.
_KEEP_TRACES = timedelta(minutes=5)

_Task = Callable[..., Awaitable[Any]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Queues:
    """The queue of jobs and that of messages to callers: neither waits for the other."""

    jobs: Docket
    messages: Docket
    #: Docket opens connections as they are asked for, and fails where they are too many.
    calls: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_CONNECTIONS // 2)
    )


@dataclass(frozen=True)
class Work:
    """What a worker process runs its tasks with."""

    queues: Queues
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
_RETRY = Retry(attempts=None, delay=_AFTER_REDIS_FAILED)
_ALWAYS = Perpetual(every=_TIDY_EVERY, automatic=True)


async def run_job(
    job_id: str,
    work: Work = _WORK,
    retry: Retry = _RETRY,
) -> None:
    """Read a job, then tell its caller."""
    try:
        await work.runner.run(job_id)
    except TryAgain as request:
        retry.after(timedelta(seconds=request.delay_seconds))
    await tell(work.queues, work.store, job_id)


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
    perpetual: Perpetual = _ALWAYS,
) -> None:
    """Enforce retention, and queue what a crash left without its task."""
    store, queues = work.store, work.queues
    await queues.jobs.add_many([_job_task(queues, job_id) for job_id in await store.unfinished()])
    untold = await store.pending_webhooks()
    await queues.messages.add_many([_webhook_task(queues, job_id) for job_id in untold])
    await work.retention.enforce()


@asynccontextmanager
async def open_queues(url: str) -> AsyncIterator[Queues]:
    """The queues; nothing has to answer before they are used."""
    async with AsyncExitStack() as stack:
        jobs = await stack.enter_async_context(_open(_JOBS, url, run_job, tidy))
        messages = await stack.enter_async_context(_open(_MESSAGES, url, deliver_webhook))
        yield Queues(jobs, messages)


@asynccontextmanager
async def _open(name: str, url: str, *tasks: _Task) -> AsyncIterator[Docket]:
    docket = Docket(name, url, execution_ttl=_KEEP_TRACES)
    for task in tasks:
        docket.register(task)
    async with docket:
        try:
            yield docket
        finally:
            # Docket's own monitor loses a cancel that comes while it still connects.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(docket.wait_for_strikes_loaded(), _CONNECT_SECONDS)


async def enqueue(queues: Queues, job_id: str) -> None:
    """Have some worker read the job; once, however often this is said."""
    async with queues.calls:
        await queues.jobs.add_many([_job_task(queues, job_id)])


async def tell(queues: Queues, store: JobStore, job_id: str) -> None:
    """Have some worker tell the caller, if the job is finished and has one."""
    job = await store.find(job_id)
    if job is not None and job.webhook == "pending":
        await queues.messages.add_many([_webhook_task(queues, job_id)])


async def dequeue(queues: Queues, job_id: str) -> None:
    """Take the job from the queue, or from the worker that reads it."""
    async with queues.calls:
        await queues.jobs.cancel(job_id)


def _job_task(queues: Queues, job_id: str) -> TaskCall:
    return queues.jobs.call(run_job, key=job_id)(job_id)


def _webhook_task(queues: Queues, job_id: str) -> TaskCall:
    return queues.messages.call(deliver_webhook, key=f"{job_id}:webhook")(job_id)

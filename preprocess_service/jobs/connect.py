"""The stores of jobs that the settings name, for the service and its workers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from preprocess_service.jobs.changes import Changes
from preprocess_service.jobs.queue import open_queues
from preprocess_service.jobs.service import JobService
from preprocess_service.jobs.store import JobStore
from preprocess_service.redis_pool import open_pool
from preprocess_service.settings import Settings
from preprocess_service.storage.uploads import UploadStore

# A request is better refused soon; a page that has been read is worth waiting for.
_TRIES_OF_SERVICE, TRIES_OF_WORKER = 1, 6
_ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class JobParts:
    """What the service and its workers share."""

    redis: Redis
    store: JobStore
    uploads: UploadStore


@asynccontextmanager
async def open_parts(settings: Settings, url: str, tries: int) -> AsyncIterator[JobParts]:
    """The store of records at `url` and the store of uploads; nothing is connected before use."""
    pool = open_pool(
        url,
        _ANSWER_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_ANSWER_SECONDS,
        retry=Retry(ExponentialBackoff(cap=2, base=0.1), tries),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )
    redis = Redis.from_pool(pool)
    try:
        store = JobStore(
            redis, settings.job_retention, settings.webhook_give_up, settings.job_storage_mb << 20
        )
        yield JobParts(redis, store, UploadStore(storage_url(settings)))
    finally:
        await redis.aclose()


@asynccontextmanager
async def open_jobs(settings: Settings) -> AsyncIterator[JobService | None]:
    """Jobs for the routes; None without `REDIS_URL`."""
    if settings.redis_url is None:
        yield None
        return
    url = settings.redis_url.get_secret_value()
    async with open_parts(settings, url, _TRIES_OF_SERVICE) as parts, open_queues(url) as queues:
        changes = Changes(parts.redis)
        async with changes.listening():
            yield JobService(parts.store, parts.uploads, queues, changes, settings.job_queue_size)


def storage_url(settings: Settings) -> str:
    """Where uploads are kept."""
    return settings.job_storage_url or (Path(settings.data_dir).resolve() / "jobs").as_uri()


def longest_life(settings: Settings) -> timedelta:
    """How long an upload can be needed."""
    seconds = settings.job_timeout + settings.webhook_give_up + settings.job_retention
    return timedelta(seconds=seconds)

"""Changes of jobs: one subscription and one poll per process, however many wait."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from preprocess_service.cancellation import cancel_until_done
from preprocess_service.jobs.keys import CHANGES, record

#: A message can be lost with its connection; all jobs that somebody waits for are looked at this
#: often.
LOOK_SECONDS = 2.0
_LISTEN_SECONDS = 1.0
_JOBS_AT_ONCE = 500
# What changes when anything does that is told of a job.
_MARKS = ("status", "pages_done")

_log = logging.getLogger(__name__)


class Watch:
    """The changes of one job, for one who waits."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    async def next(self, seconds: float | None = None) -> None:
        """Return when the job has changed since the last call, or that time is over."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        self._event.clear()


class Changes:
    """Wakes those who wait for a job when any process changes it."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._seen: dict[str, list[bytes | None]] = {}

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear of changes while the block runs."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look())]
        try:
            yield
        finally:
            await cancel_until_done(*tasks)

    @contextlib.contextmanager
    def watch(self, job_id: str) -> Iterator["Watch"]:
        """What happens to the job from now on."""
        event = asyncio.Event()
        self._waiting.setdefault(job_id, set()).add(event)
        try:
            yield Watch(event)
        finally:
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]
                self._seen.pop(job_id, None)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                await self._hear()
            _log.warning("changes of jobs cannot be heard; they are looked for instead")
            await asyncio.sleep(LOOK_SECONDS)

    async def _hear(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(CHANGES)
            while True:
                message = await pubsub.get_message(
                    ignore_subscribe_messages=True, timeout=_LISTEN_SECONDS
                )
                if message is not None:
                    self._wake(message["data"].decode())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            waited_for = list(self._waiting)
            for start in range(0, len(waited_for), _JOBS_AT_ONCE):
                await self._look_at(waited_for[start : start + _JOBS_AT_ONCE])

    async def _look_at(self, job_ids: list[str]) -> None:
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for job_id in job_ids:
                    pipeline.hmget(record(job_id), _MARKS)
                found = await pipeline.execute()
        except (RedisError, OSError):
            for job_id in job_ids:  # who waits learns of it from his own look
                self._wake(job_id)
            return
        for job_id, marks in zip(job_ids, found, strict=True):
            # What changed before the first look may have been lost too.
            if job_id in self._waiting and self._seen.get(job_id) != marks:
                self._seen[job_id] = marks
                self._wake(job_id)

    def _wake(self, job_id: str) -> None:
        for event in self._waiting.get(job_id, ()):
            event.set()

"""Waiting for a job to change: one subscription per process, whoever waits."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from preprocess_service.cancellation import cancel_until_done
from preprocess_service.jobs.store import CHANGES

#: A message can be lost with its connection; whoever waits looks for itself this often.
LOOK_SECONDS = 2.0
_LISTEN_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Watch:
    """The changes of one job, for one who waits."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    async def next(self, seconds: float = LOOK_SECONDS) -> None:
        """Return when the job has changed since the last call, or it is time to look anyway."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._event.wait(), max(0, min(seconds, LOOK_SECONDS)))
        self._event.clear()


class Changes:
    """Wakes those who wait for a job when any process changes it."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear of changes while the block runs."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            await cancel_until_done(task)

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

    def _wake(self, job_id: str) -> None:
        for event in self._waiting.get(job_id, ()):
            event.set()

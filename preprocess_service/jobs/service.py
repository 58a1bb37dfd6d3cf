"""Jobs as their callers see them: submitted, followed, canceled, and answered with documents."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from docket import Docket
from redis.exceptions import RedisError

from preprocess_service import metrics
from preprocess_service.document import Document, Page
from preprocess_service.errors import (
    IdempotencyKeyReusedError,
    JobNotFoundError,
    QueueFullError,
)
from preprocess_service.jobs import queue
from preprocess_service.jobs.changes import Changes
from preprocess_service.jobs.record import UNFINISHED, Job, PageEvent, Submission
from preprocess_service.jobs.store import JobStore
from preprocess_service.storage.uploads import UploadStore

_log = logging.getLogger(__name__)


class JobService:
    """What the routes call; every method may raise RedisError where the store does not answer."""

    def __init__(
        self, store: JobStore, uploads: UploadStore, docket: Docket, changes: Changes, room: int
    ) -> None:
        self.store = store
        self.uploads = uploads
        self._docket = docket
        self._changes = changes
        self._room = room

    async def submit(self, submission: Submission, file: BinaryIO | None) -> tuple[Job, bool]:
        """The job, and whether it is new: a repeated submission finds its first one.

        The upload is stored first, then the record, then the task, so an accepted job is never
        without its document, and `queue.tidy` finds one without a task.

        Raises:
            IdempotencyKeyReusedError: The key came with another document or other options.
            QueueFullError: As many jobs wait as may.
            StorageFullError: There is no room for the upload.
            StorageUnavailableError: The upload cannot be kept.
        """
        if key := submission.idempotency_key:
            known = await self.store.find_by_idempotency_key(key)
            if known is not None:
                return _same(known, submission), False
        if await self.store.count("queued") >= self._room:
            raise _full()
        upload = await self.uploads.save(submission.job_id, file) if file else None
        job_id = await self.store.create(submission, upload, self._room)
        if job_id != submission.job_id:
            if upload:
                await self.uploads.delete(upload)
            if job_id is None:
                raise _full()
            return _same(await self.find(job_id), submission), False
        with _left_to_tidy(job_id):
            await queue.enqueue(self._docket, job_id)
        return await self.find(job_id), True

    async def find(self, job_id: str) -> Job:
        """The job.

        Raises:
            JobNotFoundError: There is none.
        """
        job = await self.store.find(job_id)
        if job is None:
            raise JobNotFoundError("There is no such job, or its retention is over.")
        return job

    async def wait(self, job_id: str, seconds: float) -> Job:
        """The job, as soon as it is finished or the time is over."""
        deadline = time.monotonic() + seconds
        with self._changes.watch(job_id) as watch:
            while True:
                job = await self.find(job_id)
                left = deadline - time.monotonic()
                if job.is_finished or left <= 0:
                    return job
                await watch.next(left)

    async def follow(self, job_id: str, after: int) -> AsyncIterator[tuple[int, PageEvent] | Job]:
        """Each finished page with its position, without the first `after`; then the finished job.

        Raises:
            JobNotFoundError: There is no such job (any more).
        """
        with self._changes.watch(job_id) as watch:
            while True:
                job = await self.find(job_id)
                for event in await self.store.events(job_id, after):
                    after += 1
                    yield after, event
                if job.is_finished:
                    yield job
                    return
                await watch.next()

    async def document(self, job: Job) -> Document:
        """The document of a job that succeeded."""
        assert job.document is not None
        pages = await self.store.pages(job.job_id)
        return await asyncio.to_thread(_join, job.document, [result.page for result in pages])

    async def cancel(self, job_id: str) -> str:
        """Cancel the job unless it is finished; the status that it had.

        Raises:
            JobNotFoundError: There is none.
        """
        was = await self.store.cancel(job_id)
        if not was:
            raise JobNotFoundError("There is no such job, or its retention is over.")
        if was in UNFINISHED:
            metrics.JOBS_ENDED.labels("canceled").inc()
            with _left_to_tidy(job_id):
                await queue.dequeue(self._docket, job_id)
                await queue.tell(self._docket, self.store, job_id)
        return was


@contextmanager
def _left_to_tidy(job_id: str) -> Iterator[None]:
    """What the record says already has happened: `queue.tidy` makes the queue follow."""
    try:
        yield
    except RedisError:
        _log.warning("the queue did not answer", extra={"job_id": job_id})


def _join(header: str, pages: Sequence[Page]) -> Document:
    return Document.model_validate({**json.loads(header), "pages": pages})


def _same(job: Job, submission: Submission) -> Job:
    if job.submission.fingerprint != submission.fingerprint:
        raise IdempotencyKeyReusedError(
            "This Idempotency-Key came before with another document or other options."
        )
    return job


def _full() -> QueueFullError:
    return QueueFullError("As many jobs as allowed are waiting (JOB_QUEUE_SIZE); try again.")

"""Jobs as their callers see them: submitted, followed, canceled, and answered with documents."""

import json
import logging
import math
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal

from pydantic import BaseModel
from redis.exceptions import RedisError

from preprocess_service import metrics
from preprocess_service.cancellation import in_thread
from preprocess_service.document import Document, Page
from preprocess_service.errors import (
    IdempotencyKeyReusedError,
    JobAbandonedError,
    JobNotFoundError,
    QueueFullError,
    StorageFullError,
)
from preprocess_service.jobs import queue
from preprocess_service.jobs.changes import Changes
from preprocess_service.jobs.files import delete_files, full_options, save_files, size_of
from preprocess_service.jobs.record import STATUSES, UNFINISHED, Job, PageEvent, Submission
from preprocess_service.jobs.retention import drop_upload
from preprocess_service.jobs.store import JobStore
from preprocess_service.options import OcrOptions
from preprocess_service.storage.uploads import UploadStore

_log = logging.getLogger(__name__)


class DocumentHead(BaseModel):
    """What is said of a document beside its body."""

    status: Literal["succeeded", "partial"]
    cache_hit: bool


@dataclass(frozen=True)
class DocumentJson:
    """A document as JSON in pieces, and what is said of it."""

    head: DocumentHead
    pieces: AsyncIterator[bytes]


class JobService:
    """What the routes call; every method may raise RedisError where the store does not answer."""

    def __init__(
        self,
        store: JobStore,
        uploads: UploadStore,
        queues: queue.Queues,
        changes: Changes,
        queue_size: int,
    ) -> None:
        self.store = store
        self.uploads = uploads
        self._queues = queues
        self._changes = changes
        self._queue_size = queue_size

    async def submit(self, submission: Submission, file: BinaryIO | None) -> tuple[Job, bool]:
        """The job, and whether it is new: a repeated submission finds its first one.

        The upload is stored first, the key of its password beside it, then the record, then the
        task, so an accepted job is never without its document, and `queue.tidy` finds one without a
        task.

        Raises:
            IdempotencyKeyReusedError: The key came with another document or other options.
            QueueFullError: As many jobs wait as may.
            StorageFullError: There is no room for the upload, or in Redis.
            StorageUnavailableError: The upload cannot be kept.
        """
        if key := submission.idempotency_key:
            known = await self.store.find_by_idempotency_key(key)
            if known is not None:
                return _same(known, submission), False
        if await self.store.count("queued") >= self._queue_size:
            raise _full()
        upload_bytes = size_of(file) if file else 0
        await self.store.room.require_storage(submission.caller, upload_bytes)
        submission, files = await save_files(self.uploads, submission, file)
        try:
            job_id = await self.store.create(submission, files, upload_bytes, self._queue_size)
        except StorageFullError:
            await delete_files(self.uploads, files)
            raise
        if job_id != submission.job_id:
            await delete_files(self.uploads, files)
            if job_id is None:
                raise _full()
            return _same(await self.find(job_id), submission), False
        with _left_to_tidy(job_id):
            await queue.enqueue(self._queues, job_id)
        return await self.find(job_id), True

    async def find(self, job_id: str) -> Job:
        """The job.

        Raises:
            JobNotFoundError: There is none.
        """
        job = await self.store.find(job_id)
        if job is None:
            raise _no_such_job()
        return job

    async def require_own(self, job_id: str, caller: str) -> None:
        """Refuse a job of anybody else as if there were none.

        Raises:
            JobNotFoundError: There is none of this caller's.
        """
        if (await self.find(job_id)).submission.caller != caller:
            raise _no_such_job()

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
                for event in await self.store.pages.events(job_id, after):
                    after += 1
                    yield after, event
                if job.is_finished:
                    yield job
                    return
                await watch.next()

    async def document(self, job: Job) -> Document:
        """The document of a job that succeeded.

        Raises:
            JobNotFoundError: Its retention is over.
        """
        header = await self._header(job.job_id)
        pages = await self.store.pages.results(job.job_id)
        return await in_thread(_join, header, [result.page for result in pages])

    async def document_json(self, job: Job) -> "DocumentJson":
        """The same as JSON, one page in memory at a time.

        Raises:
            JobNotFoundError: Its retention is over.
        """
        header = await self._header(job.job_id)
        known = await in_thread(DocumentHead.model_validate_json, header)
        return DocumentJson(known, self._pieces(header, job.job_id))

    @asynccontextmanager
    async def open_upload(self, job: Job) -> AsyncIterator[tuple[BinaryIO, OcrOptions]]:
        """The document's file, and the options that it was submitted with, its password included.

        Raises:
            JobAbandonedError: The upload is gone.
            StorageUnavailableError: It cannot be read.
        """
        if job.upload is None:
            raise JobAbandonedError("The upload is no longer there. Submit the document again.")
        async with self.uploads.open(job.upload) as file:
            yield file, await full_options(self.uploads, job)

    async def _header(self, job_id: str) -> str:
        header = await self.store.document(job_id)
        if header is None:
            raise _no_such_job()
        return header

    async def _pieces(self, header: str, job_id: str) -> AsyncIterator[bytes]:
        yield f'{header.removesuffix("}")},"pages":['.encode()
        between = b""
        async for page in self.store.pages.as_json(job_id):
            yield between + page
            between = b","
        yield b"]}"

    async def count_by_status(self) -> dict[str, float]:
        """How many jobs have each status; NaN where their store does not answer."""
        try:
            return {status: await self.store.count(status) for status in STATUSES}
        except RedisError:
            return dict.fromkeys(STATUSES, math.nan)

    async def cancel(self, job_id: str) -> str:
        """Cancel the job unless it is finished, and drop its upload; the status that it had.

        Raises:
            JobNotFoundError: There is none.
        """
        was = await self.store.cancel(job_id)
        if not was:
            raise _no_such_job()
        if was in UNFINISHED:
            metrics.JOBS_ENDED.labels("canceled").inc()
            with _left_to_tidy(job_id):
                await queue.dequeue(self._queues, job_id)
                await queue.tell(self._queues, self.store, job_id)
            await drop_upload(self.store, self.uploads, job_id)
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


def _no_such_job() -> JobNotFoundError:
    return JobNotFoundError("There is no such job, or its retention is over.")


def _same(job: Job, submission: Submission) -> Job:
    if job.submission.fingerprint != submission.fingerprint:
        raise IdempotencyKeyReusedError(
            "This Idempotency-Key came before with another document or other options."
        )
    return job


def _full() -> QueueFullError:
    return QueueFullError("As many jobs as allowed are waiting (JOB_QUEUE_SIZE); try again.")

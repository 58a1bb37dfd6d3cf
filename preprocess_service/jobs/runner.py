"""One attempt at a job: what is missing is read, what is read is kept at once."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO, NoReturn

from redis.exceptions import RedisError

from preprocess_service import metrics
from preprocess_service.document import Document
from preprocess_service.errors import (
    DeadlineExceededError,
    EngineFailedError,
    EngineTimeoutError,
    InternalError,
    JobAbandonedError,
    ResultTooLargeError,
    StorageFullError,
)
from preprocess_service.inference.engine import CallContext
from preprocess_service.jobs.files import full_options, size_of
from preprocess_service.jobs.record import Job, JobStatus, Run
from preprocess_service.jobs.retention import drop_upload
from preprocess_service.jobs.retrying import Backoff, TryAgain
from preprocess_service.jobs.store import JobStore
from preprocess_service.problem import ServiceError
from preprocess_service.reading.assembly import PageResult, assemble_document
from preprocess_service.reading.pipeline import OcrPipeline, OpenDocument
from preprocess_service.storage.uploads import UploadStore

#: Failures of a page that say more about the engine than about the page.
_ENGINE_FAULTS = (EngineTimeoutError, EngineFailedError)
_ENGINE_AWAY_SECONDS = 5.0

_log = logging.getLogger(__name__)

Download = Callable[[str], AbstractAsyncContextManager[BinaryIO]]


class _LostError(Exception):
    """The job was canceled, or another run has taken it."""


class _StoppingError(Exception):
    """This process is about to end."""


@dataclass(frozen=True)
class Attempts:
    """How often a job is tried without finishing another page, and when again."""

    most: int
    backoff: Backoff


class JobRunner:
    """Reads jobs with `pipeline`, as far as `store` does not have their pages already."""

    def __init__(
        self,
        store: JobStore,
        uploads: UploadStore,
        pipeline: OcrPipeline,
        download: Download,
        attempts: Attempts,
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._pipeline = pipeline
        self._download = download
        self._attempts = attempts
        self._is_stopping = False

    def stop(self) -> None:
        """Let go of every job within a page; another process goes on with what is missing."""
        self._is_stopping = True

    async def run(self, job_id: str) -> None:
        """Bring the job to its end, if it has not ended yet.

        Raises:
            TryAgain: It has not ended; the rest is to be read later.
            RedisError: Its record cannot be reached.
        """
        run = await self._store.begin(job_id, uuid.uuid4().hex)
        if run is None:
            return
        try:
            document = await self._read_in_time(run)
        except _LostError:
            _log.info("job let go", extra={"job_id": job_id})
            await self._drop_if_canceled(job_id)
        except _StoppingError:
            await self._again(run, 0, counted=False)
        except ServiceError as exc:
            await self._fail_or_try_again(run, exc)
        except (RedisError, TryAgain):
            raise
        except Exception as exc:  # noqa: BLE001 - a job fails alone
            _log.exception("unforeseen failure of a job", extra={"job_id": job_id})
            cause = InternalError("The job failed; the cause is in the log.")
            cause.__cause__ = exc
            await self._fail_or_try_again(run, cause)
        else:
            header = document.model_dump_json(exclude={"pages"})
            await self._finish(run, "succeeded", {"document": header})

    async def _read_in_time(self, run: Run) -> Document:
        if run.job.attempts > self._attempts.most:
            raise JobAbandonedError(
                f"{self._attempts.most} attempts ended without a finished page "
                "(JOB_MAX_ATTEMPTS), each with the end of its process. Submit the document again."
            )
        left_seconds = run.job.submission.deadline_at - time.time()
        try:
            return await asyncio.wait_for(self._read(run), left_seconds)
        except asyncio.TimeoutError as exc:
            raise DeadlineExceededError("The job took too long (JOB_TIMEOUT).") from exc

    async def _read(self, run: Run) -> Document:
        if not await self._pipeline.is_ready():
            await self._again(run, _ENGINE_AWAY_SECONDS, counted=False)
        submission = run.job.submission
        context = CallContext(submission.request_id, submission.traceparent, submission.caller)
        upload = run.job.upload or await self._fetch(run.job)
        async with self._uploads.open(upload) as file:
            begun_with = run.job.release
            options = await full_options(self._uploads, run.job)
            identified = await self._pipeline.identifier.identify(
                file, options, context, release=begun_with
            )
            document = await self._pipeline.open(identified)
            release, total = identified.reading.release, len(document.info.page_indices)
            if begun_with in (None, release):
                with suppress(ResultTooLargeError):  # each page that is missing says so itself
                    document.text.spend(run.job.text_bytes)
            elif not await self._store.pages.forget(run):
                raise _LostError
            await self._store.note(run.job.job_id, pages_total=total, release=release)
            await self._read_missing(run, document)
        pages = await self._store.pages.results(run.job.job_id)
        return assemble_document(identified, document.info, pages, lambda: _ms_since_start(run.job))

    async def _read_missing(self, run: Run, document: OpenDocument) -> None:
        faults = 0

        async def keep(result: PageResult) -> None:
            nonlocal faults
            is_last_attempt = run.job.attempts >= self._attempts.most
            if isinstance(result.error, _ENGINE_FAULTS) and not is_last_attempt:
                faults += 1
            elif not await self._store.pages.keep(run, result):
                raise _LostError
            if self._is_stopping:
                raise _StoppingError

        missing = document.without_pages(await self._store.pages.numbers(run.job.job_id))
        async with aclosing(self._pipeline.read_pages(missing, keep)) as results:
            async for _ in results:
                pass
        if faults:
            _log.warning("pages left for later", extra={"job_id": run.job.job_id})
            await self._again(run, self._delay(run), counted=True)

    async def _fetch(self, job: Job) -> str:
        assert job.submission.source_url is not None
        async with self._download(job.submission.source_url) as file:
            upload_bytes = size_of(file)
            await self._store.room.require_storage(job.submission.caller, upload_bytes)
            upload = await self._uploads.save(job.job_id, file)
        try:
            if not await self._store.room.add_upload(job, upload, upload_bytes):
                raise _LostError
        except (_LostError, StorageFullError):
            await self._uploads.delete(upload)
            raise
        return upload

    async def _fail_or_try_again(self, run: Run, error: ServiceError) -> None:
        may_pass = error.retryable or type(error) is InternalError
        if may_pass and run.job.attempts < self._attempts.most and not _is_late(run.job):
            _log.warning(
                "job will be tried again",
                extra={"job_id": run.job.job_id, "code": error.code, "attempt": run.job.attempts},
            )
            await self._again(run, self._delay(run), counted=True)
        failure = _as_end(error)
        fields: dict[str, str | int] = {
            "problem": failure.problem(run.job.submission.request_id).model_dump_json(),
            "dead_letter": int(isinstance(failure, JobAbandonedError)),
        }
        await self._finish(run, "failed", fields)

    async def _finish(self, run: Run, status: JobStatus, fields: Mapping[str, str | int]) -> None:
        if await self._store.finish(run, status, fields):
            metrics.JOBS_ENDED.labels(status).inc()
            metrics.JOB_SECONDS.observe(time.time() - run.job.submission.created_at)

        if status != "succeeded":
            await drop_upload(self._store, self._uploads, run.job.job_id)

    async def _drop_if_canceled(self, job_id: str) -> None:
        """What was fetched after the cancel, which found nothing to drop."""
        job = await self._store.find(job_id)
        if job is not None and job.status == "canceled":
            await drop_upload(self._store, self._uploads, job_id)

    def _delay(self, run: Run) -> float:
        return self._attempts.backoff.delay(run.job.attempts)

    async def _again(self, run: Run, delay_seconds: float, *, counted: bool) -> NoReturn:
        await self._store.put_back(run, counted=counted)
        raise TryAgain(delay_seconds)


def _as_end(error: ServiceError) -> ServiceError:
    """What a job ends with: the document's own fault, else that it was given up, as it stays."""
    is_own_fault = error.status < HTTPStatus.INTERNAL_SERVER_ERROR and not error.retryable
    return error if is_own_fault else JobAbandonedError.after(error)


def _is_late(job: Job) -> bool:
    return time.time() >= job.submission.deadline_at


def _ms_since_start(job: Job) -> float:
    return (time.time() - (job.started_at or time.time())) * 1000

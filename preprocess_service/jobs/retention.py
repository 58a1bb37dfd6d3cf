"""Retention: the removal of ended jobs, of their uploads, and of uploads without a job."""

import logging
from datetime import datetime, timedelta, timezone

from preprocess_service.jobs.files import delete_files
from preprocess_service.jobs.store import JobStore
from preprocess_service.problem import ServiceError
from preprocess_service.storage.uploads import UploadStore

_log = logging.getLogger(__name__)


async def drop_upload(store: JobStore, uploads: UploadStore, job_id: str) -> None:
    """Remove the upload of a job that has no result; what fails is left to the retention."""
    job = await store.find(job_id)
    if job is None or not (job.upload or job.password_key):
        return
    try:
        await delete_files(uploads, job)
    except ServiceError:
        _log.warning("the upload of a job could not be dropped", extra={"job_id": job_id})
    else:
        await store.room.drop_upload(job_id)


class Retention:
    """Forgets finished jobs when their retention is over."""

    def __init__(self, store: JobStore, uploads: UploadStore, longest_life: timedelta) -> None:
        """Nothing happens before the first call.

        Args:
            store: Knows which jobs are over.
            uploads: Holds their documents.
            longest_life: From submission to the end of retention, at most.
        """
        self._store = store
        self._uploads = uploads
        self._longest_life = longest_life

    async def enforce(self) -> None:
        """Remove the jobs whose retention is over, and uploads that no job needs."""
        for job_id in await self._store.expired():
            job = await self._store.find(job_id)
            if job:
                await delete_files(self._uploads, job)
            await self._store.forget(job_id, job.submission if job else None)
            _log.info("job forgotten", extra={"job_id": job_id})
        # An upload whose record was never written has only its day to be known by.
        oldest = datetime.now(timezone.utc) - self._longest_life - timedelta(days=1)
        await self._uploads.delete_days_before(oldest.date())

"""The end of what is over: records, uploads, and uploads that nobody remembers."""

import logging
from datetime import datetime, timedelta, timezone

from preprocess_service.jobs.store import JobStore
from preprocess_service.storage.uploads import UploadStore

_log = logging.getLogger(__name__)


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
        """Remove what is over."""
        for job_id in await self._store.expired():
            job = await self._store.find(job_id)
            if job is None:
                continue
            if job.upload:
                await self._uploads.delete(job.upload)
            await self._store.forget(job)
            _log.info("job forgotten", extra={"job_id": job_id})
        # An upload whose record was never written has only its day to be known by.
        oldest = datetime.now(timezone.utc) - self._longest_life - timedelta(days=1)
        await self._uploads.delete_days_before(oldest.date())

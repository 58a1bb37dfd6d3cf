"""The limits of jobs: memory of Redis, and bytes in the store of uploads."""

from typing import Any

from redis.asyncio import Redis

from preprocess_service.errors import StorageFullError
from preprocess_service.jobs import keys, scripts
from preprocess_service.jobs.record import Job

# Of the memory that Redis may use. What is accepted can be finished, and what is finished be told:
# a Redis that is full to the brim would take the end of no job.
ROOM_FOR_JOBS, ROOM_FOR_PAGES = 0.8, 0.9
#: Bytes in the store of uploads: the sums of all and of each caller, and those of each job. Apart
#: from the records, which may end by themselves.
STORED, SIZES = "ocr:jobs:stored", "ocr:jobs:sizes"


class StoreRoom:
    """What is left; `storage_bytes` are those that uploads may take at once."""

    def __init__(self, redis: Redis, storage_bytes: int) -> None:
        self._redis: Any = redis
        self.storage_bytes = storage_bytes
        self._add_upload = redis.register_script(scripts.ADD_UPLOAD)
        self._drop_upload = redis.register_script(scripts.DROP_UPLOAD)

    async def require_memory(self, share: float) -> None:
        """Refuse what would be kept beyond that share (0 to 1) of the memory of Redis.

        Raises:
            StorageFullError: It is full so far.
        """
        memory = await self._redis.info("memory")
        if memory["used_memory"] > share * memory.get("maxmemory", 0) > 0:
            raise StorageFullError(
                "The store of jobs has no memory left (`maxmemory` of REDIS_URL; of the local "
                "stack's own, VALKEY_MEMORY_MB). It has again when jobs end or are forgotten."
            )

    async def require_storage(self, caller: str, upload_bytes: int) -> None:
        """Refuse an upload before it is kept.

        Raises:
            StorageFullError: It is too much beside those that are kept, of all or of this caller.
        """
        found = await self._redis.hmget(STORED, "all", f"of:{caller}")
        total, own = (int(value or 0) + upload_bytes for value in found)
        if total > self.storage_bytes or own > self.storage_bytes / 2:
            raise too_many_bytes()

    async def add_upload(self, job: Job, key: str, upload_bytes: int) -> bool:
        """Write down an upload that came after its job; False where there is no such job any more.

        Raises:
            StorageFullError: It is too much beside those that are kept.
        """
        quota = (job.submission.caller, upload_bytes, self.storage_bytes)
        found = await self._add_upload(
            keys=[keys.record(job.job_id), STORED, SIZES], args=[job.job_id, *quota, key]
        )
        if found < 0:
            raise too_many_bytes()
        return bool(found)

    async def drop_upload(self, job_id: str) -> None:
        """Forget an upload that has been deleted."""
        await self._drop_upload(keys=[keys.record(job_id), STORED, SIZES], args=[job_id])


def too_many_bytes() -> StorageFullError:
    """The refusal of an upload."""
    return StorageFullError(
        "The uploads that are kept for jobs take all the bytes that they may, of all callers or of "
        "this one (JOB_STORAGE_MB). Cancel jobs, or wait until others are forgotten."
    )

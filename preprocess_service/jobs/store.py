"""Jobs in Redis: every change of a record is one script, so no two runs can both make it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from redis.asyncio import Redis

from preprocess_service.jobs import keys, scripts
from preprocess_service.jobs.files import JobFiles
from preprocess_service.jobs.pages import PageStore
from preprocess_service.jobs.record import (
    JOB_FIELDS,
    STATUSES,
    UNFINISHED,
    Job,
    JobStatus,
    Run,
    Submission,
    WebhookState,
    parse_job,
)
from preprocess_service.jobs.room import (
    ROOM_FOR_JOBS,
    SIZES,
    STORED,
    StoreRoom,
    too_many_bytes,
)

_JOBS_AT_ONCE = 500
# However many jobs a filter leaves out, one list costs no more than so many looks.
_MOST_LOOKS = 10


@dataclass(frozen=True)
class _Step:
    """A change of status: where it may start, who must hold the job, and when an end is forgotten.

    Attributes:
        run: Name of the run that must hold the job; empty: whoever.
        expiries: Times at which the job is forgotten, and while its caller is to be told; empty
            where it goes on.
    """

    from_statuses: Sequence[JobStatus]
    to: JobStatus
    fields: Mapping[str, str | int]
    run: str = ""
    idempotency_key: str | None = None
    expiries: tuple[str, str] = ("", "")


class JobStore:
    """The records of all jobs; `pages` has their finished pages."""

    def __init__(
        self, redis: Redis, retention_seconds: float, telling_seconds: float, storage_bytes: int
    ) -> None:
        """Nothing is sent before the first call.

        Args:
            redis: Keeps everything.
            retention_seconds: For which a job is kept once it has ended and its webhook too.
            telling_seconds: For which its webhook may be tried before that.
            storage_bytes: Of uploads that may be kept at once.
        """
        # Its types do not know that answers stay bytes here.
        self._redis: Any = redis
        self._retention_seconds = retention_seconds
        self._telling_seconds = telling_seconds
        self.room = StoreRoom(redis, storage_bytes)
        self.pages = PageStore(redis, self.room)
        self._create = redis.register_script(scripts.CREATE)
        self._move = redis.register_script(scripts.MOVE)
        self._note = redis.register_script(scripts.NOTE)
        self._end_webhook = redis.register_script(scripts.END_WEBHOOK)

    async def create(
        self, submission: Submission, files: JobFiles, upload_bytes: int, room: int
    ) -> str | None:
        """The id of the job that stands for the submission: an earlier one's if its key is known.

        None where `room` jobs are waiting already.

        Raises:
            StorageFullError: Redis has no memory for another job, or its upload is too much.
        """
        await self.room.require_memory(ROOM_FOR_JOBS)
        given = {**asdict(files), "callback_url": submission.callback_url}
        fields = {"submission": submission.model_dump_json()}
        fields |= {name: value for name, value in given.items() if value}
        names = [
            keys.record(submission.job_id),
            keys.idempotency(submission.idempotency_key),
            *(keys.ALL, keys.index("queued"), STORED, SIZES, keys.owned(submission.caller)),
        ]
        quota = (submission.caller, upload_bytes, self.room.storage_bytes)
        found = await self._create(
            keys=names, args=[submission.job_id, room, *quota, *_pairs(fields)]
        )
        if found == 0:
            raise too_many_bytes()
        return None if found is None else bytes(found).decode()

    async def find(self, job_id: str) -> Job | None:
        """The job, if there is one."""
        return parse_job(await self._redis.hmget(keys.record(job_id), JOB_FIELDS))

    async def document(self, job_id: str) -> str | None:
        """The finished document without its pages, as JSON."""
        found = await self._redis.hget(keys.record(job_id), "document")
        return found.decode() if found else None

    async def find_by_idempotency_key(self, key: str) -> Job | None:
        """The job that was submitted with this key."""
        found = await self._redis.get(keys.idempotency(key))
        return await self.find(found.decode()) if found else None

    async def newest(
        self,
        status: JobStatus | None,
        before: str | None,
        count: int,
        *,
        dead_letters: bool,
        caller: str | None = None,
    ) -> tuple[list[Job], str | None]:
        """Jobs from the newest on, those before the job named `before`; and the next one's name.

        None for that where there are no more. Filters are to be met together; with a caller, a
        list may be shorter than `count` though more follow.
        """
        if dead_letters and status not in (None, "failed"):
            return [], None
        index = keys.DEAD_LETTERS if dead_letters else keys.index(status) if status else keys.ALL
        walked = (
            (index, before, count) if caller is None else (keys.owned(caller), before, count, index)
        )
        ids, last = await newest_ids(self._redis, *walked)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for job_id in ids:
                pipeline.hmget(keys.record(job_id), JOB_FIELDS)
            records = await pipeline.execute()
        # A record may have been forgotten in between; others still follow it.
        jobs = [job for job in map(parse_job, records) if job]
        return jobs, last

    async def count(self, status: JobStatus) -> int:
        """How many jobs have that status."""
        return int(await self._redis.zcard(keys.index(status)))

    async def unfinished(self) -> list[str]:
        """The ids of all jobs that somebody still has to work on."""
        indexes = [await self._redis.zrange(keys.index(status), 0, -1) for status in UNFINISHED]
        return [job_id.decode() for ids in indexes for job_id in ids]

    async def begin(self, job_id: str, run: str) -> Run | None:
        """The job, now held by `run`, as one more attempt; None where nothing is left to do."""
        changed, _ = await self._change(job_id, _Step(UNFINISHED, "running", {"run": run}))
        if not changed:
            return None
        job = await self.find(job_id)
        return Run(job, run) if job else None

    async def note(self, job_id: str, **fields: str | int) -> bool:
        """Write down more about a job; unlike its status, anybody's word is as good.

        False where there is no such job (any more).
        """
        return bool(await self._note(keys=[keys.record(job_id)], args=_pairs(fields)))

    async def finish(self, run: Run, status: JobStatus, fields: Mapping[str, str | int]) -> bool:
        """End the job, once; False where it has ended already or another run holds it."""
        step = _Step(("running",), status, fields, run.name)
        return (await self._end(run.job, step))[0]

    async def put_back(self, run: Run, *, counted: bool) -> bool:
        """Let the job wait for its next attempt; an uncounted one is as if it had not been."""
        fields = {} if counted else {"attempts": run.job.attempts - 1}
        step = _Step(("running",), "queued", fields, run.name)
        return (await self._change(run.job.job_id, step))[0]

    async def cancel(self, job_id: str) -> str:
        """Cancel the job unless it is finished; the status before, empty without such a job."""
        job = await self.find(job_id)
        return (await self._end(job, _Step(UNFINISHED, "canceled", {})))[1] if job else ""

    async def pending_webhooks(self) -> list[str]:
        """The ids of the finished jobs whose caller has not been told."""
        return [job_id.decode() for job_id in await self._redis.zrange(keys.WEBHOOKS, 0, -1)]

    async def end_webhook(self, job: Job, state: WebhookState) -> None:
        """Note that the webhook has ended; the job's retention begins now."""
        own = keys.keys_of(job.job_id, job.submission.idempotency_key)
        names = [*own, keys.EXPIRY, keys.WEBHOOKS]
        expiry = str(time.time() + self._retention_seconds)
        await self._end_webhook(keys=names, args=[job.job_id, state, expiry])

    async def expired(self) -> list[str]:
        """The ids of the jobs whose retention is over."""
        ids = await self._redis.zrangebyscore(keys.EXPIRY, "-inf", time.time())
        return [job_id.decode() for job_id in ids]

    async def forget(self, job_id: str, submission: Submission | None) -> None:
        """Remove everything about the job, as far as its submission says what there is."""
        await self.room.drop_upload(job_id)
        idempotency_key = submission.idempotency_key if submission else None
        owned = [keys.owned(submission.caller)] if submission else []
        async with self._redis.pipeline() as pipeline:
            pipeline.delete(*filter(None, keys.keys_of(job_id, idempotency_key)))
            for index in (*owned, *keys.INDEXES, *map(keys.index, STATUSES)):
                pipeline.zrem(index, job_id)
            await pipeline.execute()

    async def _end(self, job: Job, step: _Step) -> tuple[bool, str]:
        expiry = time.time() + self._retention_seconds
        step = replace(
            step,
            idempotency_key=job.submission.idempotency_key,
            expiries=(str(expiry), str(expiry + self._telling_seconds)),
        )
        return await self._change(job.job_id, step)

    async def _change(self, job_id: str, step: _Step) -> tuple[bool, str]:
        """Whether the job changed, and its status before; empty without such a job."""
        changed, was = await self._move(
            keys=[
                *keys.keys_of(job_id, step.idempotency_key),
                *(keys.EXPIRY, keys.CHANGES, keys.WEBHOOKS, keys.DEAD_LETTERS),
                *map(keys.index, STATUSES),
            ],
            args=[
                *(job_id, f"|{'|'.join(step.from_statuses)}|", step.to, step.run),
                *(str(time.time()), *step.expiries, "|".join(STATUSES)),
                *_pairs(step.fields),
            ],
        )
        return bool(changed), bytes(was).decode()


def _pairs(fields: Mapping[str, str | int]) -> list[str | int]:
    return [part for pair in fields.items() for part in pair]


async def newest_ids(
    redis: Any, index: str, before: str | None, count: int, among: str | None = None
) -> tuple[list[str], str | None]:
    """Names of the newest jobs in `index`, if it is given only those in `among` too.

    Beside them the one that the next list begins behind; None at the end. With `among` a list may
    be shorter than `count` before that.
    """
    found: list[str] = []
    for _ in range(_MOST_LOOKS if among else 1):
        size = _JOBS_AT_ONCE if among else count
        upper = f"({before}" if before else "+"
        ids = await redis.zrevrangebylex(index, upper, "-", start=0, num=size)
        scores = await redis.zmscore(among, ids) if among and ids else [0] * len(ids)
        for job_id, score in zip(ids, scores, strict=True):
            before = job_id.decode()
            if score is not None:
                found.append(before)
            if len(found) == count:
                return found, before
        if len(ids) < size:
            return found, None
    return found, before

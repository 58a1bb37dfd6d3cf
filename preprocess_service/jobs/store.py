"""Jobs in Redis: every change of a record is one script, so no two runs can both make it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from preprocess_service.jobs import scripts
from preprocess_service.jobs.pages import pack_page, page_event, unpack_page
from preprocess_service.jobs.record import (
    STATUSES,
    UNFINISHED,
    Job,
    JobStatus,
    PageEvent,
    Submission,
    parse_job,
)
from preprocess_service.pipeline import PageResult

_PREFIX = "ocr:jobs"
#: Every change of a job is told here, by its id.
CHANGES = f"{_PREFIX}:changes"
_ALL, _DEAD_LETTERS = f"{_PREFIX}:all", f"{_PREFIX}:dead-letters"
_EXPIRY, _WEBHOOKS = f"{_PREFIX}:expiry", f"{_PREFIX}:webhooks"


@dataclass(frozen=True)
class Run:
    """One attempt at a job; a later one takes the job from it."""

    job: Job
    name: str


class JobStore:
    """The records of all jobs, with their finished pages."""

    def __init__(self, redis: Redis, retention_seconds: float) -> None:
        # Its types do not know that answers stay bytes here.
        self._redis: Any = redis
        self._retention_seconds = retention_seconds
        self._create = redis.register_script(scripts.CREATE)
        self._move = redis.register_script(scripts.MOVE)
        self._keep_page = redis.register_script(scripts.KEEP_PAGE)

    async def create(self, submission: Submission, upload: str | None, room: int) -> str | None:
        """The id of the job that stands for the submission: an earlier one's if its key is known.

        None where `room` jobs are waiting already.
        """
        fields = {"submission": submission.model_dump_json()}
        if upload:
            fields["upload"] = upload
        if submission.callback_url:
            fields["callback_url"] = submission.callback_url
        keys = [
            _record(submission.job_id),
            _idempotency(submission.idempotency_key),
            _ALL,
            _index("queued"),
        ]
        found = await self._create(keys=keys, args=[submission.job_id, room, *_pairs(fields)])
        return None if found is None else bytes(found).decode()

    async def find(self, job_id: str) -> Job | None:
        """The job, if there is one."""
        fields = await self._redis.hgetall(_record(job_id))
        return parse_job(fields) if fields else None

    async def find_by_idempotency_key(self, key: str) -> Job | None:
        """The job that was submitted with this key."""
        found = await self._redis.get(_idempotency(key))
        return await self.find(found.decode()) if found else None

    async def newest(
        self, status: JobStatus | None, before: str | None, count: int, *, dead_letters: bool
    ) -> list[Job]:
        """Jobs from the newest on, those that came before the job named `before`."""
        index = _DEAD_LETTERS if dead_letters else _index(status) if status else _ALL
        upper = f"({before}" if before else "+"
        ids = await self._redis.zrevrangebylex(index, upper, "-", start=0, num=count)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for job_id in ids:
                pipeline.hgetall(_record(job_id.decode()))
            records = await pipeline.execute()
        return [parse_job(fields) for fields in records if fields]

    async def count(self, status: JobStatus) -> int:
        """How many jobs have that status."""
        return int(await self._redis.zcard(_index(status)))

    async def unfinished(self) -> list[str]:
        """The ids of all jobs that somebody still has to work on."""
        indexes = [await self._redis.zrange(_index(status), 0, -1) for status in UNFINISHED]
        return [job_id.decode() for ids in indexes for job_id in ids]

    async def begin(self, job_id: str, run: str) -> Run | None:
        """The job, now held by `run`, as one more attempt; None where nothing is left to do."""
        changed, _ = await self._change(job_id, UNFINISHED, "running", {"run": run})
        if not changed:
            return None
        record = _record(job_id)
        await self._redis.hsetnx(record, "started_at", str(time.time()))
        await self._redis.hincrby(record, "attempts", 1)
        job = await self.find(job_id)
        return Run(job, run) if job else None

    async def note(self, job_id: str, **fields: str | int) -> None:
        """Write down more about a job; unlike its status, anybody's word is as good."""
        await self._redis.hset(_record(job_id), mapping=fields)

    async def keep_page(self, run: Run, result: PageResult) -> bool:
        """Keep a finished page; False where the job is canceled or another run's."""
        job_id, page = run.job.job_id, result.page
        kept = await self._keep_page(
            keys=[_record(job_id), _pages(job_id), _events(job_id), CHANGES],
            args=[
                job_id,
                run.name,
                page.number,
                pack_page(result),
                page_event(page).model_dump_json(),
            ],
        )
        return bool(kept)

    async def forget_pages(self, job_id: str) -> None:
        """Have all pages read again: no document holds pages of two releases."""
        await self._redis.delete(_pages(job_id), _events(job_id))
        await self.note(job_id, pages_done=0)

    async def pages_kept(self, job_id: str) -> set[int]:
        """The numbers of the pages that are finished."""
        return {int(number) for number in await self._redis.hkeys(_pages(job_id))}

    async def pages(self, job_id: str) -> list[PageResult]:
        """The finished pages in the order of the document."""
        packed = await self._redis.hvals(_pages(job_id))
        return sorted(map(unpack_page, packed), key=lambda result: result.page.number)

    async def events(self, job_id: str, after: int) -> Sequence[PageEvent]:
        """The finished pages in the order of finishing, without the first `after`."""
        found = await self._redis.lrange(_events(job_id), after, -1)
        return [PageEvent.model_validate_json(event) for event in found]

    async def finish(self, run: Run, status: JobStatus, fields: Mapping[str, str | int]) -> bool:
        """End the job, once; False where it has ended already or another run holds it."""
        return (await self._change(run.job.job_id, ("running",), status, fields, run.name))[0]

    async def put_back(self, run: Run, *, counted: bool) -> bool:
        """Let the job wait for its next attempt; an uncounted one is as if it had not been."""
        fields = {} if counted else {"attempts": run.job.attempts - 1}
        return (await self._change(run.job.job_id, ("running",), "queued", fields, run.name))[0]

    async def cancel(self, job_id: str) -> str:
        """Cancel the job unless it is finished; the status before, empty without such a job."""
        return (await self._change(job_id, UNFINISHED, "canceled", {}))[1]

    async def pending_webhooks(self) -> list[str]:
        """The ids of the finished jobs whose caller has not been told."""
        return [job_id.decode() for job_id in await self._redis.zrange(_WEBHOOKS, 0, -1)]

    async def end_webhook(self, job_id: str, state: str) -> None:
        """Nobody has to be told any more."""
        await self.note(job_id, webhook=state)
        await self._redis.zrem(_WEBHOOKS, job_id)

    async def expired(self) -> list[str]:
        """The ids of the jobs whose retention is over."""
        ids = await self._redis.zrangebyscore(_EXPIRY, "-inf", time.time())
        return [job_id.decode() for job_id in ids]

    async def forget(self, job: Job) -> None:
        """Remove everything about the job."""
        async with self._redis.pipeline() as pipeline:
            pipeline.delete(_record(job.job_id), _pages(job.job_id), _events(job.job_id))
            if key := job.submission.idempotency_key:
                pipeline.delete(_idempotency(key))
            for index in (_ALL, _DEAD_LETTERS, _WEBHOOKS, *map(_index, STATUSES), _EXPIRY):
                pipeline.zrem(index, job.job_id)
            await pipeline.execute()

    async def _change(
        self,
        job_id: str,
        from_statuses: Sequence[JobStatus],
        to: JobStatus,
        fields: Mapping[str, str | int],
        run: str = "",
    ) -> tuple[bool, str]:
        now = time.time()
        expiry = "" if to in UNFINISHED else str(now + self._retention_seconds)
        changed, was = await self._move(
            keys=[
                *(_record(job_id), CHANGES, _EXPIRY, _WEBHOOKS, _DEAD_LETTERS),
                *map(_index, STATUSES),
            ],
            args=[
                *(job_id, f"|{'|'.join(from_statuses)}|", to, run, str(now), expiry),
                "|".join(STATUSES),
                *_pairs(fields),
            ],
        )
        return bool(changed), bytes(was).decode()


def _record(job_id: str) -> str:
    return f"ocr:job:{job_id}"


def _pages(job_id: str) -> str:
    return f"ocr:job:{job_id}:pages"


def _events(job_id: str) -> str:
    return f"ocr:job:{job_id}:events"


def _index(status: JobStatus) -> str:
    return f"{_PREFIX}:{status}"


def _idempotency(key: str | None) -> str:
    return f"ocr:idempotency:{key}" if key else ""


def _pairs(fields: Mapping[str, str | int]) -> list[str | int]:
    return [part for pair in fields.items() for part in pair]

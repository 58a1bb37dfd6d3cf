"""The finished pages of jobs in Redis, compressed.

What a page cost stands before the page, each as JSON on a row, so that a document can be written
without reading its pages.
"""

import json
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from typing import Any

from redis.asyncio import Redis

from preprocess_service.cancellation import in_thread
from preprocess_service.document import Page
from preprocess_service.errors import JobNotFoundError, error_from_code
from preprocess_service.jobs import keys, scripts
from preprocess_service.jobs.record import PageEvent, Run
from preprocess_service.jobs.room import ROOM_FOR_PAGES, StoreRoom
from preprocess_service.reading.assembly import PageResult


class PageStore:
    """The pages that are finished, until their job is forgotten."""

    def __init__(self, redis: Redis, room: StoreRoom) -> None:
        # Its types do not know that answers stay bytes here.
        self._redis: Any = redis
        self._room = room
        self._keep = redis.register_script(scripts.KEEP_PAGE)
        self._forget = redis.register_script(scripts.FORGET_PAGES)

    async def keep(self, run: Run, result: PageResult) -> bool:
        """Keep a finished page; False where the job is canceled or another run's.

        Raises:
            StorageFullError: Redis has no memory for it.
        """
        await self._room.require_memory(ROOM_FOR_PAGES)
        job_id, page = run.job.job_id, result.page
        kept = await self._keep(
            keys=[keys.record(job_id), keys.pages(job_id), keys.events(job_id), keys.CHANGES],
            args=[
                job_id,
                run.name,
                page.number,
                pack_page(result),
                page_event(page).model_dump_json(),
                result.text_bytes,
            ],
        )
        return bool(kept)

    async def forget(self, run: Run) -> bool:
        """Have all pages read again: no document holds pages of two releases.

        False where the job is another run's.
        """
        job_id = run.job.job_id
        names = [keys.record(job_id), keys.pages(job_id), keys.events(job_id)]
        return bool(await self._forget(keys=names, args=[run.name]))

    async def numbers(self, job_id: str) -> set[int]:
        """The numbers of the pages that are finished."""
        return {int(number) for number in await self._redis.hkeys(keys.pages(job_id))}

    async def results(self, job_id: str) -> list[PageResult]:
        """The finished pages in the order of the document."""
        packed = await self._redis.hvals(keys.pages(job_id))
        results = [await in_thread(unpack_page, page) for page in packed]
        return sorted(results, key=lambda result: result.page.number)

    async def as_json(self, job_id: str) -> AsyncIterator[bytes]:
        """The same as JSON, one page in memory at a time."""
        for number in sorted(await self.numbers(job_id)):
            packed = await self._redis.hget(keys.pages(job_id), number)
            if packed is None:
                raise JobNotFoundError("The retention of the job ended.")
            yield await in_thread(unpack_json, packed)

    async def events(self, job_id: str, after: int) -> Sequence[PageEvent]:
        """The finished pages in the order of finishing, without the first `after`."""
        found = await self._redis.lrange(keys.events(job_id), after, -1)
        return [PageEvent.model_validate_json(event) for event in found]


def pack_page(result: PageResult) -> bytes:
    """The page and what it cost; its error is in the page's problem already."""
    values = {
        field.name: getattr(result, field.name)
        for field in fields(result)
        if field.name not in ("page", "error")
    }
    return zlib.compress(f"{json.dumps(values)}\n{result.page.model_dump_json()}".encode(), 1)


def unpack_page(packed: bytes) -> PageResult:
    """The result that was packed, its error included."""
    costs, body = _rows(packed)
    page = Page.model_validate_json(body)
    error = error_from_code(page.problem.code, page.problem.detail) if page.problem else None
    values = json.loads(costs)
    values.pop("release", None)  # as earlier versions of this service packed it
    return PageResult(page=page, error=error, **values)


def unpack_json(packed: bytes) -> bytes:
    """The page alone, as JSON."""
    return _rows(packed)[1]


def _rows(packed: bytes) -> tuple[bytes, bytes]:
    costs, newline, body = zlib.decompress(packed).partition(b"\n")
    if not newline:  # as earlier versions of this service packed it
        values = json.loads(costs)
        body = json.dumps(values.pop("page"), ensure_ascii=False).encode()
        costs = json.dumps(values).encode()
    return costs, body


def page_event(page: Page) -> PageEvent:
    """What those who follow a job are told of a finished page."""
    return PageEvent(
        page=page.number,
        source=page.source,
        lines=len(page.lines),
        confidence=page.confidence,
        problem=page.problem.code if page.problem else None,
    )

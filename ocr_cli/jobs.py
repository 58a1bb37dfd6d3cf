"""One document as a job: submitted, followed by long poll, its result fetched."""

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ocr_base.version import API
from ocr_cli.client import Answer, Connection, OnPages, answer_of
from ocr_cli.errors import DocumentError

# The poll ends with the job; until then, pages done are shown this often.
_LONG_POLL_SECONDS = 5
_CANCEL_SECONDS = 3
_UNFINISHED = {"queued", "running"}


@dataclass(frozen=True)
class JobReader:
    """Reads documents through the server's queue: nothing is lost when a server restarts."""

    connection: Connection

    async def read(self, path: Path, fields: Mapping[str, str], on_pages: OnPages) -> Answer:
        """The result of one document; the job is canceled when the caller is.

        Raises:
            DocumentError: This document was not read.
            UsageError: The server refuses the key.
            ServerAwayError: It stayed away or unable to take jobs.
        """
        # Sent again after a lost answer, the same key finds the same job.
        key = uuid.uuid4().hex
        submit = f"{API}/jobs/submit"
        response = await self.connection.send(
            lambda: self.connection.post_file(submit, path, fields, key)
        )
        job = f"{API}/jobs/{response.json()['job_id']}"
        try:
            await self._follow(job, on_pages)
        except asyncio.CancelledError:
            await self._cancel(job)
            raise
        result = await self._get(f"{job}/result", {})
        return answer_of(result)

    async def _follow(self, job: str, on_pages: OnPages) -> None:
        # Without waiting first: what is known at once is shown at once.
        status = await self._status(job, wait=0)
        while status["status"] in _UNFINISHED:
            if status.get("pages_total"):
                on_pages(status.get("pages_done") or 0, status["pages_total"])
            status = await self._status(job, wait=_LONG_POLL_SECONDS)
        if status["status"] == "canceled":
            raise DocumentError("its job was canceled.")
        # Asked for the result, a server repeats this with its status, which may read as "busy".
        if problem := status.get("problem"):
            raise DocumentError(f"{problem.get('detail')} ({problem.get('code')})")

    async def _status(self, job: str, wait: int) -> dict[str, Any]:
        status: dict[str, Any] = (await self._get(f"{job}/status", {"wait": wait})).json()
        return status

    async def _get(self, url: str, query: Mapping[str, int]) -> httpx.Response:
        return await self.connection.send(lambda: self.connection.http.get(url, params=dict(query)))

    async def _cancel(self, job: str) -> None:
        with suppress(httpx.HTTPError):
            await self.connection.http.delete(job, timeout=_CANCEL_SECONDS)

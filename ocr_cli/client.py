"""One document over HTTP: sent, waited for while the server is busy, answered."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from ocr_base.version import API
from ocr_cli.errors import DocumentError, ServerAwayError, UsageError

OnPages = Callable[[int, int], None]

_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
# Of a server that is away or does not say how long it stays busy.
_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class Answer:
    """A result as the server wrote it."""

    body: bytes
    is_partial: bool


@dataclass(frozen=True)
class Connection:
    """A server, and how long to wait while it is busy or away."""

    http: httpx.AsyncClient
    patience_seconds: float

    async def require_server(self) -> None:
        """Make sure that an OCR server answers.

        Raises:
            ServerAwayError: Nobody does, or somebody else.
        """
        url = self.http.base_url
        try:
            response = await self.http.get(f"{API}/health")
        except (httpx.TransportError, httpx.InvalidURL) as exc:
            raise ServerAwayError(
                f"No server answers at {url} ({exc or type(exc).__name__}). "
                "Start one with `ocr serve`, or name another with --server or OCR_SERVER."
            ) from exc
        if response.status_code in _REFUSED:
            raise UsageError(_describe(response))
        if response.is_error:
            raise ServerAwayError(f"{url} answers, but not as an OCR server: {_describe(response)}")

    async def read(self, path: Path, fields: Mapping[str, str], on_pages: OnPages) -> Answer:
        """The result of one document within one request; `on_pages` is never called.

        Raises:
            DocumentError: This document was not read.
            UsageError: The server refuses the key.
            ServerAwayError: It stayed away or unable to read.
        """
        response = await self.send(lambda: self.post_file(f"{API}/ocr/process", path, fields))
        return answer_of(response)

    async def post_file(
        self, url: str, path: Path, fields: Mapping[str, str], key: str | None = None
    ) -> httpx.Response:
        """The response to a form with the file, which is read as it is sent."""
        headers = {"Idempotency-Key": key} if key else {}
        try:
            with path.open("rb") as file:
                # Not every name of a file is text; the server goes by the bytes within.
                name = os.fsencode(path.name).decode(errors="replace")
                form = {"file": (name, file, "application/octet-stream")}
                return await self.http.post(url, files=form, data=dict(fields), headers=headers)
        except OSError as exc:
            raise DocumentError(f"cannot be opened: {exc.strerror or exc}") from exc

    async def send(self, request: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        """The response to the request, which is repeated while the server is busy or away.

        Raises:
            DocumentError: It was refused, or took too long.
            UsageError: The server refuses the key.
            ServerAwayError: It stayed away or unable to read.
        """
        give_up = time.monotonic() + self.patience_seconds
        while True:
            failure, pause = await self._try(request)
            if isinstance(failure, httpx.Response):
                return failure
            if time.monotonic() + pause > give_up:
                raise failure
            await asyncio.sleep(pause)

    async def _try(
        self, request: Callable[[], Awaitable[httpx.Response]]
    ) -> tuple[httpx.Response | Exception, float]:
        """A response, or what to raise unless trying again after so many seconds helps."""
        try:
            response = await request()
        except httpx.ReadTimeout as exc:
            raise DocumentError("the server took longer than --timeout.") from exc
        except httpx.TransportError as exc:
            return ServerAwayError(f"The server went away: {exc or type(exc).__name__}."), 1.0
        if response.status_code in _REFUSED:
            raise UsageError(_describe(response))
        if response.status_code not in _BUSY:
            if response.is_error:
                raise DocumentError(_describe(response))
            return response, 0
        is_full = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        failure = (DocumentError if is_full else ServerAwayError)(_describe(response))
        if _problem(response).get("retryable") is False:
            raise failure
        return failure, _retry_after(response)


def answer_of(response: httpx.Response) -> Answer:
    """The result that the response carries."""
    return Answer(response.content, response.headers.get("X-OCR-Status") == "partial")


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else _PAUSE_SECONDS


def _describe(response: httpx.Response) -> str:
    problem = _problem(response)
    if detail := problem.get("detail"):
        return f"{detail} ({problem.get('code', response.status_code)})"
    return f"HTTP {response.status_code} {response.reason_phrase}"


def _problem(response: httpx.Response) -> dict[str, Any]:
    if response.headers.get("Content-Type", "").partition(";")[0] != "application/problem+json":
        return {}
    problem = response.json()
    return problem if isinstance(problem, dict) else {}

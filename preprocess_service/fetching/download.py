"""Documents by URL, into temporary files."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO, cast

import httpx

from preprocess_service.disk import temporary_files
from preprocess_service.errors import (
    InvalidOptionsError,
    UrlForbiddenError,
    UrlRefusedError,
    UrlTimeoutError,
    UrlUnreachableError,
)
from preprocess_service.fetching.client import make_client
from preprocess_service.fetching.decoding import EncodingError, decoded
from preprocess_service.fetching.hosts import Resolve, resolve_host
from preprocess_service.problem import ServiceError

_MAX_REDIRECTS = 5
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "ocr-server"}
# Answers that another try may change.
_MAY_PASS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
#: What fetching raises beside this service's own errors.
FOREIGN_ERRORS = (
    asyncio.TimeoutError,
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    httpx.StreamError,
    EncodingError,
    # Of the connection: those of the disk have become this service's where they arose.
    OSError,
)


@dataclass(frozen=True)
class DownloadRules:
    """What a download may reach and take."""

    allowed_hosts: tuple[str, ...]
    max_bytes: int
    timeout_seconds: float
    resolve: Resolve = resolve_host


@asynccontextmanager
async def download(url: str, rules: DownloadRules) -> AsyncIterator[BinaryIO]:
    """The document at the URL, in a temporary file that is gone after the block.

    Raises:
        InvalidOptionsError: It is no URL.
        UrlForbiddenError: It, or a redirect of it, leads where nothing is fetched from.
        UrlRefusedError: There is no such host, or it says that there is nothing to have.
        UrlUnreachableError: Its host does not answer as it should.
        UrlTimeoutError: It took too long.
        DocumentTooLargeError: It is larger than allowed; the rest is not read.
        StorageFullError: There is no room for it.
        StorageUnavailableError: It cannot be written.
    """
    with temporary_files():
        file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - closed below
    try:
        await asyncio.wait_for(_fetch(url, rules, file), rules.timeout_seconds)
    except FOREIGN_ERRORS as exc:
        file.close()
        raise fetch_error(exc, rules.timeout_seconds) from exc
    except BaseException:
        file.close()
        raise
    with file:
        file.seek(0)
        yield file


def fetch_error(error: Exception, timeout_seconds: float) -> ServiceError:
    """The error that a caller sees for one of `FOREIGN_ERRORS`."""
    if isinstance(error, asyncio.TimeoutError | httpx.TimeoutException):
        return UrlTimeoutError(
            f"The URL was not fetched within {timeout_seconds:g} s (URL_TIMEOUT)."
        )
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return InvalidOptionsError("url: is no URL.")
    return UrlUnreachableError("The host of the URL does not answer as it should.")


async def _fetch(url: str, rules: DownloadRules, file: BinaryIO) -> None:
    async with make_client(rules.allowed_hosts, rules.timeout_seconds, rules.resolve) as client:
        request = client.build_request("GET", url, headers=_HEADERS)
        for _ in range(_MAX_REDIRECTS + 1):
            response = await client.send(request, stream=True)
            try:
                if response.next_request is None:
                    await _save(response, rules.max_bytes, file)
                    return
            finally:
                await response.aclose()
            request = response.next_request
    raise UrlForbiddenError(f"The URL redirects more than {_MAX_REDIRECTS} times.")


async def _save(response: httpx.Response, max_bytes: int, file: BinaryIO) -> None:
    _require_success(response.status_code)
    async for piece in decoded(response, max_bytes):
        await asyncio.to_thread(_write, file, piece)


def _write(file: BinaryIO, piece: bytes) -> None:
    with temporary_files():
        file.write(piece)
        file.flush()  # what reads it reads the descriptor


def _require_success(status: int) -> None:
    if status == HTTPStatus.OK:
        return
    is_final = 400 <= status < 500 and status not in _MAY_PASS
    error = UrlRefusedError if is_final else UrlUnreachableError
    raise error(f"The host of the URL answered {status}.")

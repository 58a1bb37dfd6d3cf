"""Documents by URL, into temporary files."""

import asyncio
import errno
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO, cast

import httpx

from preprocess_service.errors import (
    DocumentTooLargeError,
    InvalidOptionsError,
    StorageFullError,
    UrlForbiddenError,
    UrlRefusedError,
    UrlTimeoutError,
    UrlUnreachableError,
)
from preprocess_service.fetching.client import make_client
from preprocess_service.fetching.decoding import EncodingError, decoded
from preprocess_service.fetching.hosts import Resolve, resolve_host

_MAX_REDIRECTS = 5
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "ocr-server"}
# Answers that another try may change.
_MAY_PASS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


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
        UrlRefusedError: Its host says that there is nothing to have.
        UrlUnreachableError: Its host does not answer as it should.
        UrlTimeoutError: It took too long.
        DocumentTooLargeError: It is larger than allowed; the rest is not read.
        StorageFullError: There is no room for it.
    """
    with tempfile.TemporaryFile() as file:
        try:
            await asyncio.wait_for(_fetch(url, rules, file), rules.timeout_seconds)
        except (asyncio.TimeoutError, httpx.TimeoutException) as exc:
            raise UrlTimeoutError(
                f"The URL was not fetched within {rules.timeout_seconds:g} s (URL_TIMEOUT)."
            ) from exc
        except httpx.InvalidURL as exc:
            raise InvalidOptionsError("url: is no URL.") from exc
        except (httpx.HTTPError, EncodingError) as exc:
            raise UrlUnreachableError("The host of the URL does not answer as it should.") from exc
        except OSError as exc:
            if exc.errno not in DISK_IS_FULL:
                raise
            raise StorageFullError("There is no room for the document (TMPDIR).") from exc
        file.seek(0)
        yield cast(BinaryIO, file)


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
    received = 0
    async for piece in decoded(response):
        received += len(piece)
        if received > max_bytes:
            raise DocumentTooLargeError(
                f"The document is larger than {max_bytes >> 20} MB (MAX_FILE_SIZE_MB)."
            )
        await asyncio.to_thread(file.write, piece)


def _require_success(status: int) -> None:
    if status == HTTPStatus.OK:
        return
    is_final = 400 <= status < 500 and status not in _MAY_PASS
    error = UrlRefusedError if is_final else UrlUnreachableError
    raise error(f"The host of the URL answered {status}.")

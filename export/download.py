"""One file over HTTP, in pieces, with progress and retries."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from export.errors import FetchError

ATTEMPTS = 4
PAUSE_SECONDS = 1.0  # more after each failure: a server that is starting needs a moment
TIMEOUT = httpx.Timeout(60.0, connect=15.0)


def download(name: str, url: str, target: Path) -> None:
    """Write what an address holds to a file; the environment's proxies and certificates apply.

    Raises:
        FetchError: After the last attempt, or at once when the server says that a repetition
            will not help (a status of 4xx other than 408 and 429).
    """
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE_SECONDS * attempt)
        failure = _attempt(name, url, target)
        if failure is None:
            return
        if _is_final(failure):
            break
    raise FetchError(f"source '{name}': {url} cannot be read: {failure}") from failure


def _attempt(name: str, url: str, target: Path) -> httpx.HTTPError | None:
    try:
        _stream(name, url, target)
    except httpx.HTTPError as error:
        return error
    return None


def _is_final(failure: httpx.HTTPError) -> bool:
    if not isinstance(failure, httpx.HTTPStatusError):
        return False
    status = failure.response.status_code
    return status < 500 and status not in (408, 429)


def _stream(name: str, url: str, target: Path) -> None:
    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with (
        httpx.stream("GET", url, follow_redirects=True, timeout=TIMEOUT) as response,
        Progress(*columns, transient=True) as progress,
        target.open("wb") as file,
    ):
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0)) or None
        bar = progress.add_task(name, total=total)
        for piece in response.iter_bytes():
            file.write(piece)
            progress.update(bar, completed=response.num_bytes_downloaded)

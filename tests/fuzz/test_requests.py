"""What callers write into options and headers, and how documents begin."""

import asyncio
from collections.abc import AsyncIterator

import httpx
from hypothesis import given
from hypothesis import strategies as st

from preprocess_service.api.routes.jobs import _hold_wait, _job_id, _jobs
from preprocess_service.errors import (
    InvalidDocumentError,
    InvalidOptionsError,
    UnsupportedMediaTypeError,
)
from preprocess_service.page_range import select_pages
from preprocess_service.pages.media_types import IMAGE_FORMATS, PDF, sniff_media_type
from preprocess_service.settings import Settings
from preprocess_service.wiring import make_app
from tests.fakes import FakeEngine

STARTS = st.sampled_from(
    [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00+", b"GIF89a", b"BM", b"RIFF",
     b"\x00\x00\x00\x18ftyp", b"%PDF-", b"heic"]
)  # fmt: skip
RANGES = st.lists(st.sampled_from("0123456789-, \t") | st.characters(), max_size=30).map("".join)


@given(start=STARTS, rest=st.binary(max_size=1200))
def test_every_beginning_is_a_known_type_or_refused(start: bytes, rest: bytes) -> None:
    try:
        assert sniff_media_type(start + rest) in {PDF, *IMAGE_FORMATS}
    except (InvalidDocumentError, UnsupportedMediaTypeError):
        assert not (start + rest).startswith(b"%PDF-")


@given(text=RANGES, page_count=st.integers(0, 2000))
def test_a_page_range_chooses_pages_that_there_are(text: str, page_count: int) -> None:
    chosen, told = choose(text, page_count)
    assert chosen == sorted(set(chosen))
    assert all(0 <= page < page_count for page in chosen)
    assert len(told) < 400


def choose(text: str, page_count: int) -> tuple[list[int], str]:
    """The pages, or what is told instead."""
    try:
        return select_pages(text, page_count), ""
    except InvalidOptionsError as error:
        return [], error.detail


class NoJobs:
    """Every job is known, and nothing has happened to it."""

    async def find(self, job_id: str) -> None:
        """Find it."""

    async def follow(self, job_id: str, after: int) -> AsyncIterator[object]:
        """The caller gets whatever is behind a position."""
        assert 0 <= after < 10**9
        for nothing in ():
            yield nothing


APP = make_app(Settings(_env_file=None), FakeEngine())


async def takes_anything() -> str:
    """Whoever asks owns the job and has a slot."""
    return "0" * 32


APP.dependency_overrides = {_jobs: NoJobs, _job_id: takes_anything, _hold_wait: takes_anything}
IDS = st.text("0123456789end+-_ \u00b2\u0663", max_size=24) | st.binary(max_size=60).map(
    lambda data: data.decode("latin-1")
)


@given(event_id=IDS)
def test_an_id_of_an_event_is_taken_or_refused(event_id: str) -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            url = f"/api/v1/jobs/{'0' * 32}/events"
            return await client.get(url, headers=[(b"Last-Event-ID", event_id.encode())])

    assert asyncio.run(ask()).status_code in {200, 204, 422}

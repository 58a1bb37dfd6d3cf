import asyncio
import os
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from preprocess_service.errors import EngineFailedError, EngineUnavailableError
from preprocess_service.inference.engine import CallContext, PageReading
from preprocess_service.options import parse_options
from preprocess_service.reading.budget import PageBudget
from preprocess_service.reading.cache.memory import MemoryTier
from preprocess_service.reading.cache.safe_tier import SafeTier
from preprocess_service.reading.cache.tiers import TieredCache
from preprocess_service.reading.cached_reader import CachedReader, CachePolicy
from preprocess_service.reading.identify import Limits
from preprocess_service.reading.pipeline import OcrPipeline
from tests.fakes import FakeEngine, make_line
from tests.unit.preprocess_service.reading.test_pipeline import BlankPages
from tests.waiting import until

ANYTHING = CachePolicy()
FRESH = CachePolicy(may_answer=False)
UNKEPT = CachePolicy(may_keep=False)
NEITHER = CachePolicy(may_answer=False, may_keep=False)


class ReleasedEngine(FakeEngine):
    """A fake engine whose live release can change, and that counts how often it is asked for it."""

    described = 0

    async def describe(self, request_id=None, release=None):
        self.described += 1
        return await super().describe(request_id, release)

    @property
    def release(self):
        return self.served[0]

    @release.setter
    def release(self, number):
        self.served = [number]


@pytest.fixture
def engine():
    return ReleasedEngine()


class TimedPages(BlankPages):
    """Two blank pages of a file that is really looked at."""

    def __init__(self):
        super().__init__(2)

    async def render(self, request, file, index):
        assert os.pread(file.fileno(), 4, 0) == b"%PDF"
        await asyncio.sleep(0.002)
        return await super().render(request, file, index)


class Reader:
    """Identifies a file, then reads it."""

    def __init__(self, pipeline, cached):
        self._identifier, self._cached = pipeline.identifier, cached

    async def read(self, file, options, context, policy=ANYTHING):
        upload = await self._identifier.identify(file, options, context)
        return await self._cached.read(upload, policy)


@pytest.fixture
def make_reader(engine):
    def make(*, cached=True, variant="v"):
        limits = Limits(20, 10**8, 120, 4)
        pipeline = OcrPipeline(engine, TimedPages(), PageBudget(50, 10**9), limits)
        tiers = TieredCache([SafeTier(MemoryTier(1 << 20))], 100) if cached else None
        return Reader(pipeline, CachedReader(pipeline, tiers, variant))

    return make


@pytest.fixture
def pdf():
    return b"%PDF-1.7"


def _options(**given):
    return parse_options((name, str(value)) for name, value in given.items())


def _context(name="request-1"):
    return CallContext(name)


async def test_equal_request_is_answered_without_reading(make_reader, engine, pdf, as_file):
    reader = make_reader()
    first = await reader.read(as_file(pdf), _options(), _context("one"))
    assert (first.cache_hit, first.request_id, len(engine.pages)) == (False, "one", 2)
    assert first.processing_ms.rasterize > 0

    again = await reader.read(as_file(pdf), _options(merge_pages=True), _context("two"))
    assert (again.cache_hit, again.request_id, len(engine.pages)) == (True, "two", 2)
    assert again.pages == first.pages
    assert (first.text, again.text) == (None, "hello world\nhello world\n")
    times = again.processing_ms
    assert (times.rasterize, times.inference) == (0, 0)
    assert times.total > 0


async def test_the_release_is_asked_for_once(make_reader, engine, pdf, as_file):
    reader = make_reader()
    for described in (1, 2):
        await reader.read(as_file(pdf), _options(), _context())
        assert engine.described == described


async def test_other_options_are_read(make_reader, engine, pdf, as_file):
    reader = make_reader()
    for dpi in (90, 100, 90):
        await reader.read(as_file(pdf), _options(dpi=dpi), _context())
    assert len(engine.pages) == 4


async def test_other_release_is_read(make_reader, engine, pdf, as_file):
    reader = make_reader()
    await reader.read(as_file(pdf), _options(), _context())
    engine.release = 2
    engine.default = PageReading((make_line("newer"),), 0, 2)
    newer = await reader.read(as_file(pdf), _options(), _context())
    assert (newer.cache_hit, newer.release, newer.pages[0].text) == (False, 2, "newer")
    assert (await reader.read(as_file(pdf), _options(), _context())).cache_hit


async def test_what_callers_allow(make_reader, engine, pdf, as_file):
    reader = make_reader()

    async def pages_read(policy):
        before = len(engine.pages)
        await reader.read(as_file(pdf), _options(), _context(), policy)
        return len(engine.pages) - before

    assert await pages_read(UNKEPT) == 2
    assert await pages_read(NEITHER) == 2
    assert await pages_read(FRESH) == 2
    assert await pages_read(UNKEPT) == 0
    assert await pages_read(CachePolicy()) == 0
    engine.default = PageReading((make_line("second"),), 0, 1)
    assert await pages_read(NEITHER) == 2
    kept = await reader.read(as_file(pdf), _options(), _context())
    assert kept.pages[0].text == "hello world"
    assert await pages_read(FRESH) == 2
    kept = await reader.read(as_file(pdf), _options(), _context())
    assert (kept.cache_hit, kept.pages[0].text) == (True, "second")


async def test_only_complete_documents_are_kept(make_reader, engine, pdf, as_file):
    reader = make_reader()
    good = PageReading((make_line("good"),), 0, 1)
    engine.outcomes = [good, EngineFailedError("x")]
    partial = await reader.read(as_file(pdf), _options(), _context())
    assert (partial.status, partial.cache_hit) == ("partial", False)
    engine.outcomes = [EngineUnavailableError("x")] * 2
    with pytest.raises(EngineUnavailableError):
        await reader.read(as_file(pdf), _options(), _context())
    assert not (await reader.read(as_file(pdf), _options(), _context())).cache_hit
    assert (await reader.read(as_file(pdf), _options(), _context())).cache_hit


def _count(outcome):
    return REGISTRY.get_sample_value("ocr_cache_answers_total", {"outcome": outcome}) or 0


async def test_twenty_equal_requests_are_read_once(make_reader, engine, pdf, as_file):
    reader = make_reader()
    before = [_count("miss"), _count("shared")]
    engine.gate = asyncio.Event()
    calls = [
        asyncio.create_task(
            reader.read(as_file(pdf), _options(merge_pages=number % 2), _context(f"r{number}"))
        )
        for number in range(20)
    ]
    await until(lambda: engine.in_flight == 2)
    engine.gate.set()
    documents = await asyncio.gather(*calls)
    assert len(engine.pages) == 2
    assert [_count(outcome) for outcome in ("miss", "shared")] == [before[0] + 1, before[1] + 19]
    assert [document.request_id for document in documents] == [f"r{n}" for n in range(20)]
    assert sorted(document.cache_hit for document in documents) == [False] + [True] * 19
    assert all(
        (document.text is not None) == bool(number % 2) for number, document in enumerate(documents)
    )


async def test_partial_document_names_each_callers_request(make_reader, engine, pdf, as_file):
    reader = make_reader()
    engine.gate = asyncio.Event()
    engine.outcomes = [PageReading((), 0, 1), EngineFailedError("x")]
    calls = [
        asyncio.create_task(reader.read(as_file(pdf), _options(), _context(name)))
        for name in ("one", "two")
    ]
    await until(lambda: engine.in_flight == 2)
    await asyncio.sleep(0.05)
    engine.gate.set()
    for document in await asyncio.gather(*calls):
        assert document.pages[1].problem.request_id == document.request_id
    assert len(engine.pages) == 2


async def test_first_caller_leaves_with_its_file(make_reader, engine, pdf, as_file):
    reader = make_reader()
    engine.gate = asyncio.Event()
    file = as_file(pdf)
    first = asyncio.create_task(reader.read(file, _options(), _context("one")))
    await until(lambda: engine.in_flight)
    second = asyncio.create_task(reader.read(as_file(pdf), _options(), _context("two")))
    await asyncio.sleep(0.1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    file.close()
    engine.gate.set()
    document = await second
    assert (document.request_id, document.status, document.cache_hit) == ("two", "succeeded", True)
    assert engine.canceled == 0


async def test_work_stops_and_files_close_when_all_leave(make_reader, engine, pdf, as_file):
    reader = make_reader()
    engine.gate = asyncio.Event()
    files = [as_file(pdf) for _ in range(3)]
    open_before = _open_files()
    calls = [asyncio.create_task(reader.read(file, _options(), _context())) for file in files]
    await until(lambda: engine.in_flight == 2)
    await asyncio.sleep(0.05)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert (engine.in_flight, engine.canceled) == (0, 2)
    await until(lambda: _open_files() <= open_before)


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_without_cache_everything_is_read(make_reader, engine, pdf, as_file):
    reader = make_reader(cached=False)
    for _ in range(2):
        assert not (await reader.read(as_file(pdf), _options(), _context())).cache_hit
    assert len(engine.pages) == 4

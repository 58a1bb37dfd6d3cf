import asyncio
import io
from dataclasses import replace

import numpy as np
import pytest

from preprocess_service.errors import (
    EngineContractError,
    EngineFailedError,
    EngineTimeoutError,
    EngineUnavailableError,
    InvalidDocumentError,
    InvalidOptionsError,
)
from preprocess_service.inference.engine import CallContext, PageReading
from preprocess_service.options import parse_options
from preprocess_service.pages.source import DocumentInfo, PageSize, RasterPage, TextPage
from preprocess_service.reading.budget import PageBudget
from preprocess_service.reading.identify import Limits
from preprocess_service.reading.pipeline import OcrPipeline
from tests.fakes import LANGUAGES, FakeEngine, make_line
from tests.waiting import until

CONTEXT = CallContext("request-1", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
LIMITS = Limits(max_pages=100, max_pixels=10_000, default_dpi=120, pages_in_flight=3)


class BlankPages:
    """A rasterizer of blank pages, 30 high and 40 wide; `failures` by page index."""

    def __init__(self, count=1, failures=None, sizes=None):
        self.count, self.failures = count, failures or {}
        self.sizes = sizes or [PageSize(40, 30)] * count
        self.requests, self.rendered, self.texts = [], [], {}

    async def inspect(self, request, file):
        self.requests.append(request)
        return DocumentInfo(self.count, range(self.count), self.sizes, {"title": "T"})

    async def render(self, request, file, index):
        self.rendered.append(index)
        await asyncio.sleep(0)
        if index in self.failures:
            raise self.failures[index]
        if index in self.texts:
            return self.texts[index]
        return RasterPage(np.full((30, 40, 3), index, np.uint8), request.dpi)


@pytest.fixture
def pdf(as_file) -> io.BufferedReader:
    return as_file(b"%PDF-1.7")


def _pipeline(engine, pages, budget=None, limits=LIMITS):
    return OcrPipeline(engine, pages, budget or PageBudget(50, 10**9), limits)


async def _read(pipeline, file, options):
    return await pipeline.read(await pipeline.identifier.identify(file, options, CONTEXT))


def _options(**given):
    return parse_options((name, str(value)) for name, value in given.items())


async def test_document_tells_what_was_read_and_how(pdf):
    engine = FakeEngine([make_line("one"), make_line("two", top=30)])
    document = await _read(_pipeline(engine, BlankPages()), pdf, _options())
    page = document.pages[0]
    assert (document.status, document.release, document.request_id) == ("succeeded", 1, "request-1")
    assert (document.language, document.strategy) == (("en",), "balanced")
    assert (document.metadata.media_type, document.metadata.title) == ("application/pdf", "T")
    assert (page.number, page.width, page.height, page.dpi) == (1, 40, 30, 120)
    assert (page.text, page.confidence, page.source) == ("one\ntwo", 0.9, "ocr")
    times = document.processing_ms
    assert times.total >= times.rasterize > 0
    assert engine.contexts == [CONTEXT]


async def test_a_page_with_text_of_its_own_is_not_read_by_the_engine(pdf):
    engine, pages = FakeEngine(), BlankPages(2)
    pages.texts = {1: TextPage((make_line("own", 1.0),), PageSize(40, 30), 120)}
    document = await _read(_pipeline(engine, pages), pdf, _options(words=True))
    assert [page.source for page in document.pages] == ["ocr", "text_layer"]
    assert [page.text for page in document.pages] == ["hello world", "own"]
    page = document.pages[1]
    assert (page.number, page.width, page.height, page.dpi) == (2, 40, 30, 120)
    assert (page.confidence, page.rotation, page.problem) == (1.0, 0, None)
    assert len(engine.pages) == 1
    assert (pages.requests[0].text_layer, pages.requests[0].words) == ("auto", True)


async def test_pages_whose_text_is_too_much_together_carry_a_problem_and_cost_nothing(pdf):
    engine, pages = FakeEngine(), BlankPages(6)
    own = tuple(make_line("own " * 50, 1.0) for _ in range(20))
    pages.texts = {index: TextPage(own, PageSize(40, 30), 120) for index in range(6)}
    limits = replace(LIMITS, pages_in_flight=1, max_result_bytes=20_000)
    document = await _read(_pipeline(engine, pages, limits=limits), pdf, _options())
    assert document.status == "partial"
    codes = [page.problem and page.problem.code for page in document.pages]
    assert codes == [None, *["result_too_large"] * 5]
    assert len(document.model_dump_json()) < 25_000
    assert pages.rendered == [0, 1]


async def test_an_image_has_no_text_layer_to_be_read_only(as_file, make_image):
    pages = BlankPages()
    with pytest.raises(InvalidOptionsError, match="text_layer"):
        await _read(
            _pipeline(FakeEngine(), pages), as_file(make_image()), _options(text_layer="only")
        )
    assert pages.requests == []


async def test_weak_lines_are_left_out_and_counted(pdf):
    engine = FakeEngine([make_line("good", 0.8), make_line("weak", 0.79), make_line("bad", 0.1)])
    options = _options(confidence_threshold=0.8)
    page = (await _read(_pipeline(engine, BlankPages()), pdf, options)).pages[0]
    assert (page.text, page.lines_omitted, page.confidence) == ("good", 2, 0.8)


async def test_blank_page_has_no_lines_and_no_confidence(pdf):
    page = (await _read(_pipeline(FakeEngine([]), BlankPages()), pdf, _options())).pages[0]
    assert (page.text, page.lines, page.confidence, page.problem) == ("", (), None, None)


@pytest.mark.parametrize(
    ("rotation", "size"), [(0, (40, 30)), (90, (30, 40)), (180, (40, 30)), (270, (30, 40))]
)
async def test_size_is_that_of_the_upright_page(pdf, rotation, size):
    engine = FakeEngine(outcomes=[PageReading((), rotation, release=3)])
    engine.served = [3]
    document = await _read(_pipeline(engine, BlankPages()), pdf, _options())
    page = document.pages[0]
    assert ((page.width, page.height), page.rotation, document.release) == (size, rotation, 3)


@pytest.mark.parametrize(
    ("options", "dpi"),
    [({}, 120), ({"strategy": "accuracy"}, 200), ({"strategy": "accuracy", "dpi": 90}, 90)],
)
async def test_resolution_follows_request_then_strategy(pdf, options, dpi):
    pages = BlankPages()
    await _read(_pipeline(FakeEngine(), pages), pdf, _options(**options))
    assert pages.requests[0].dpi == dpi


async def test_options_reach_the_engine(pdf):
    engine = FakeEngine()
    options = _options(strategy="speed", language="zh-TW,en", detect_orientation="false")
    document = await _read(_pipeline(engine, BlankPages()), pdf, options)
    reading = engine.options[0]
    assert (reading.strategy, reading.languages) == ("speed", ("zh", "en"))
    assert reading.detect_orientation is False
    assert document.language == ("zh", "en")


@pytest.mark.parametrize("language", ["en", "auto"])
async def test_a_strategy_that_the_release_lacks_is_refused_as_such(pdf, language):
    engine, pages = FakeEngine(), BlankPages()
    engine.languages = {name: codes for name, codes in LANGUAGES.items() if name != "accuracy"}
    options = _options(strategy="accuracy", language=language)
    wanted = r"strategy: 'accuracy' is not in release 1.*available: balanced, speed\."
    with pytest.raises(InvalidOptionsError, match=wanted):
        await _read(_pipeline(engine, pages), pdf, options)
    assert pages.requests == []


async def test_language_nobody_writes_is_refused_before_any_page(pdf):
    pages = BlankPages()
    with pytest.raises(InvalidOptionsError, match="'tlh'"):
        await _read(_pipeline(FakeEngine(), pages), pdf, _options(language="tlh"))
    assert pages.requests == []


@pytest.mark.parametrize("error", [EngineFailedError, EngineContractError, EngineTimeoutError])
async def test_page_that_fails_alone_keeps_its_place(pdf, error):
    engine = FakeEngine(outcomes=[error("boom")])
    pages = BlankPages(4, {2: InvalidDocumentError("torn")})
    document = await _read(_pipeline(engine, pages, limits=LIMITS), pdf, _options())
    assert document.status == "partial"
    assert [page.number for page in document.pages] == [1, 2, 3, 4]
    codes = [page.problem and page.problem.code for page in document.pages]
    assert codes == [error.code, None, "invalid_document", None]
    assert document.pages[2].problem.request_id == "request-1"
    assert (document.pages[2].width, document.pages[2].text) == (40, "")


async def test_page_that_is_too_large_is_never_drawn(pdf):
    pages = BlankPages(2, sizes=[PageSize(1000, 1000), PageSize(40, 30)])
    document = await _read(_pipeline(FakeEngine(), pages), pdf, _options())
    assert document.pages[0].problem.code == "page_too_large"
    assert pages.rendered == [1]


async def test_document_without_a_readable_page_fails_with_the_first_error(pdf):
    pages = BlankPages(2, {0: InvalidDocumentError("first"), 1: InvalidDocumentError("second")})
    with pytest.raises(InvalidDocumentError, match="first"):
        await _read(_pipeline(FakeEngine(), pages), pdf, _options())


async def test_engine_that_goes_away_fails_the_document_and_stops_its_pages(pdf):
    engine = FakeEngine(outcomes=[EngineUnavailableError("gone")])
    pages = BlankPages(50)
    with pytest.raises(EngineUnavailableError):
        await _read(_pipeline(engine, pages), pdf, _options())
    assert len(pages.rendered) <= LIMITS.pages_in_flight
    assert engine.in_flight == 0


async def test_pages_in_flight_are_bounded_per_document_and_over_all(pdf):
    engine, budget = FakeEngine(), PageBudget(4, 10**9)
    pipeline = _pipeline(engine, BlankPages(20), budget)
    first = await _read(pipeline, pdf, _options())
    assert engine.most_in_flight <= 3
    documents = await asyncio.gather(*(_read(pipeline, pdf, _options()) for _ in range(3)))
    assert engine.most_in_flight <= 4
    assert [len(document.pages) for document in [first, *documents]] == [20] * 4
    assert (budget.pages, budget.bytes) == (0, 0)


async def test_pages_come_in_order_as_they_are_read(pdf):
    engine = FakeEngine()
    pipeline = _pipeline(engine, BlankPages(10))
    upload = await pipeline.identifier.identify(pdf, _options(), CONTEXT)
    document = await pipeline.open(upload)
    numbers = []
    async for result in pipeline.read_pages(document):
        numbers.append(result.page.number)
        assert len(engine.pages) <= len(numbers) + LIMITS.pages_in_flight
    assert numbers == list(range(1, 11))


async def test_canceling_stops_calls_to_the_engine(pdf):
    engine, budget = FakeEngine(), PageBudget(50, 10**9)
    engine.gate = asyncio.Event()
    reading = asyncio.create_task(_read(_pipeline(engine, BlankPages(10), budget), pdf, _options()))
    await until(lambda: engine.in_flight == 3)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (engine.in_flight, engine.canceled, budget.pages) == (0, 3, 0)


async def test_merged_text_stands_in_the_document_when_asked_for(pdf):
    pipeline = _pipeline(FakeEngine([make_line("a")]), BlankPages(2))
    assert (await _read(pipeline, pdf, _options())).text is None
    assert (await _read(pipeline, pdf, _options(merge_pages="true"))).text == "a\na\n"

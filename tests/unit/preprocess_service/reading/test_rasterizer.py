"""With real processes: what a document does to one of them costs that document alone."""

import asyncio
import errno
import os
import signal
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymupdf
import pytest

from preprocess_service.errors import (
    DocumentTooCostlyError,
    InternalError,
    InvalidDocumentError,
    InvalidOptionsError,
    ResultTooLargeError,
)
from preprocess_service.pages.source import PageSize, RasterRequest
from preprocess_service.reading.rasterizer import PROGRAM, Rasterizer
from preprocess_service.sandbox.pool import SandboxPool
from preprocess_service.sandbox.processor_time import ProcessorTime
from tests.drawing import draw_pdf
from tests.odd_files.bombs import crowded_pages
from tests.waiting import until

PDF = RasterRequest("a", "application/pdf", dpi=72, max_pages=10, max_pixels=50_000_000)
MEMORY = 512 << 20
ENOUGH = ProcessorTime(document_seconds=60, page_seconds=2)


@asynccontextmanager
async def running(size=1, memory=MEMORY, timeout=20.0, allowed=ENOUGH):
    pool = SandboxPool(PROGRAM, size, memory, timeout, allowed)
    await pool.start()
    try:
        yield Rasterizer(pool)
    finally:
        await pool.close()


def _open_files() -> int:
    """Of this process: pages travel as files without a name, so nothing else can be left."""
    return len(list(Path("/proc/self/fd").iterdir()))


def _nested_forms(levels: int) -> bytes:
    """A PDF whose page draws 10 ** levels forms: minutes of work in a few hundred bytes."""
    forms = "".join(
        f"{n + 10} 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F "
        f"{n + 11} 0 R>>>>/Length 50>>stream\n{'/F Do ' * 8:<50}\nendstream endobj\n"
        for n in range(levels)
    )
    leaf = f"{levels + 10} 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 14>>stream\n0 0 5 5 re f  \nendstream endobj\n"  # noqa: E501
    return (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject"
        "<</F 10 0 R>>>>>>endobj\n4 0 obj<</Length 6>>stream\n/F Do \nendstream endobj\n"
        f"{forms}{leaf}trailer<</Root 1 0 R>>\n"
    ).encode()


async def test_pages_arrive_as_pixels(make_pdf, as_file):
    file = as_file(make_pdf("a", "b"))
    async with running() as rasterizer:
        info = await rasterizer.inspect(PDF, file)
        page = await rasterizer.render(PDF, file, 1)
    assert (info.page_count, list(info.page_indices)) == (2, [0, 1])
    assert (page.pixels.shape, page.pixels.dtype) == ((100, 200, 3), np.uint8)
    assert page.pixels.min() < 100


async def test_a_page_with_text_of_its_own_arrives_as_lines(as_file):
    request = replace(PDF, text_layer="auto", words=True)
    file = as_file(draw_pdf([["two words"], []]))
    async with running() as rasterizer:
        text, blank = [await rasterizer.render(request, file, index) for index in (0, 1)]
    assert [line.text for line in text.lines] == ["two words"]
    assert [word.text for word in text.lines[0].words] == ["two", "words"]
    assert (text.size, text.dpi) == (PageSize(595, 842), 72)
    assert blank.pixels.shape == (842, 595, 3)


async def test_text_that_takes_too_many_bytes_is_no_answer(as_file):
    request = replace(PDF, text_layer="only", words=True)
    file = as_file(crowded_pages(1, 18_000))
    async with running() as rasterizer:
        with pytest.raises(ResultTooLargeError, match="Without `words`"):
            await rasterizer.render(request, file, 0)
        fewer = replace(request, document_id="b", words=False)
        assert (await rasterizer.render(fewer, file, 0)).lines
        seen = replace(request, document_id="c", text_layer="auto")
        assert (await rasterizer.render(seen, file, 0)).pixels.size


async def test_failures_of_a_document_come_back_as_its_errors(as_file):
    async with running() as rasterizer:
        pids = rasterizer.pool.pids
        with pytest.raises(InvalidDocumentError):
            await rasterizer.inspect(PDF, as_file(b"%PDF-1.4 nothing"))
        assert rasterizer.pool.pids == pids


async def test_killed_process_costs_one_page_and_leaves_nothing(make_pdf, as_file):
    file = as_file(_nested_forms(9))
    before = _open_files()
    async with running() as rasterizer:
        (pid,) = rasterizer.pool.pids
        page = asyncio.create_task(rasterizer.render(PDF, file, 0))
        await until(lambda: not rasterizer.pool.pids)
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(DocumentTooCostlyError, match="ended the process"):
            await page
        good = await rasterizer.render(replace(PDF, document_id="b"), as_file(make_pdf()), 0)
        assert good.pixels.shape == (100, 200, 3)
        del good
        assert rasterizer.pool.pids
        assert pid not in rasterizer.pool.pids
    assert _open_files() == before


async def test_process_killed_while_idle_is_replaced_unnoticed(make_pdf, as_file):
    async with running() as rasterizer:
        (pid,) = rasterizer.pool.pids
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.1)
        assert (await rasterizer.inspect(PDF, as_file(make_pdf()))).page_count == 1


async def test_hanging_page_ends_at_the_time_limit(make_pdf, as_file):
    async with running(timeout=0.5) as rasterizer:
        with pytest.raises(DocumentTooCostlyError, match="PAGE_TIMEOUT"):
            await rasterizer.render(PDF, as_file(_nested_forms(9)), 0)
        good = await rasterizer.inspect(replace(PDF, document_id="b"), as_file(make_pdf()))
        assert good.page_count == 1


async def test_slow_pages_of_one_caller_leave_a_process_to_others(make_pdf, as_file):
    slow, other = replace(PDF, caller="one"), replace(PDF, document_id="b", caller="other")
    file = as_file(_nested_forms(9))
    async with running(size=2) as rasterizer:
        attack = [asyncio.create_task(rasterizer.render(slow, file, 0)) for _ in range(8)]
        await until(lambda: len(rasterizer.pool.pids) == 1)
        started = time.monotonic()
        for _ in range(5):
            assert (await rasterizer.render(other, as_file(make_pdf()), 0)).pixels.size
        assert time.monotonic() - started < 5
        for task in attack:
            task.cancel()
        await asyncio.gather(*attack, return_exceptions=True)


async def test_a_document_whose_pages_take_too_much_together_is_ended(make_pdf, as_file):
    few = ProcessorTime(document_seconds=1e-4, page_seconds=1e-5)
    file = as_file(make_pdf("a", "b"))
    async with running(allowed=few) as rasterizer:
        await rasterizer.inspect(PDF, file)
        with pytest.raises(DocumentTooCostlyError, match=r"DOCUMENT_PROCESSOR_TIME.*PAGE_PROC"):
            await rasterizer.render(PDF, file, 0)
        assert (await rasterizer.inspect(replace(PDF, document_id="b"), file)).page_count == 2


async def test_pages_that_fail_count_too(as_file):
    file = as_file(b"%PDF-1.4 nothing")
    async with running(allowed=ProcessorTime(1e-4, 1e-5)) as rasterizer:
        with pytest.raises(InvalidDocumentError):
            await rasterizer.inspect(PDF, file)
        with pytest.raises(DocumentTooCostlyError):
            await rasterizer.inspect(PDF, file)


async def test_memory_limit_costs_one_document_and_its_process(make_pdf, as_file):
    huge = replace(PDF, document_id="huge", dpi=600, max_pixels=10**9)
    async with running(memory=128 << 20) as rasterizer:
        before = rasterizer.pool.pids
        with pytest.raises(DocumentTooCostlyError, match="RASTERIZER_MEMORY_MB"):
            await rasterizer.render(huge, as_file(make_pdf(size=(2400, 2400))), 0)
        assert (await rasterizer.render(PDF, as_file(make_pdf()), 0)).pixels.shape == (100, 200, 3)
        assert before.isdisjoint(rasterizer.pool.pids)


async def test_process_that_cannot_be_started_is_an_error_of_the_table(monkeypatch):
    async def refuse(*_, **__):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
    before = _open_files()
    with pytest.raises(InternalError, match="cannot be started"):
        await SandboxPool(PROGRAM, 1, MEMORY, 20.0, ENOUGH).start()
    assert _open_files() == before


async def test_caller_that_leaves_frees_the_process(make_pdf, as_file):
    async with running() as rasterizer:
        (pid,) = rasterizer.pool.pids
        page = asyncio.create_task(rasterizer.render(PDF, as_file(_nested_forms(9)), 0))
        await until(lambda: not rasterizer.pool.pids)
        page.cancel()
        with pytest.raises(asyncio.CancelledError):
            await page
        good = await rasterizer.inspect(replace(PDF, document_id="b"), as_file(make_pdf()))
        assert good.page_count == 1
        assert pid not in rasterizer.pool.pids


async def test_quick_page_of_a_caller_that_left_keeps_its_process(make_pdf, as_file):
    async with running() as rasterizer:
        pids = rasterizer.pool.pids
        page = asyncio.create_task(rasterizer.render(PDF, as_file(make_pdf()), 0))
        for _ in range(100_000):  # every turn of the loop is looked at: a page is quick
            if not rasterizer.pool.pids or page.done():
                break
            await asyncio.sleep(0)
        assert not page.done()
        page.cancel()
        await until(lambda: rasterizer.pool.pids)
        assert rasterizer.pool.pids == pids


async def test_pages_of_one_document_are_drawn_side_by_side(make_pdf, as_file):
    file = as_file(make_pdf(*"abcdefgh"))
    async with running(size=2) as rasterizer:
        pages = await asyncio.gather(*(rasterizer.render(PDF, file, index) for index in range(8)))
        assert len(rasterizer.pool.pids) == 2
    assert len({page.pixels.tobytes() for page in pages}) == 8


async def test_closing_ends_every_process():
    async with running(size=2) as rasterizer:
        pids = rasterizer.pool.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_what_is_longer_than_a_message_is_refused_on_either_side_and_ends_no_process(as_file):
    smiles = "😀" * 1000
    with pymupdf.open() as pdf:
        pdf.new_page()
        names = ("title", "author", "subject", "keywords", "creator", "producer")
        pdf.set_metadata(dict.fromkeys(names, smiles))
        file = as_file(pdf.tobytes())
    async with running() as rasterizer:
        pids = rasterizer.pool.pids
        info = await rasterizer.inspect(PDF, file)
        assert info.metadata["title"] == smiles
        with pytest.raises(InvalidOptionsError, match="longer than"):
            await rasterizer.inspect(replace(PDF, page_range="1," * 32_767 + "1"), file)
        assert (await rasterizer.inspect(PDF, file)).page_count == 1
        assert rasterizer.pool.pids == pids

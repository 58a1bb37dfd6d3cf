"""With real processes: what a document does to one of them costs that document alone."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from preprocess_service.errors import DocumentTooCostlyError, InvalidDocumentError
from preprocess_service.imaging.pool import RasterizerPool
from preprocess_service.imaging.raster import PageSize, RasterRequest
from tests.drawing import draw_pdf
from tests.waiting import until

PDF = RasterRequest("a", "application/pdf", dpi=72, max_pages=10, max_pixels=50_000_000)
MEMORY = 512 << 20


@asynccontextmanager
async def running(size=1, memory=MEMORY, timeout=20.0):
    pool = RasterizerPool(size, memory, timeout)
    await pool.start()
    try:
        yield pool
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
    async with running() as pool:
        info = await pool.inspect(PDF, file)
        page = await pool.render(PDF, file, 1)
    assert (info.page_count, list(info.page_indices)) == (2, [0, 1])
    assert (page.pixels.shape, page.pixels.dtype) == ((100, 200, 3), np.uint8)
    assert page.pixels.min() < 100


async def test_a_page_with_text_of_its_own_arrives_as_lines(as_file):
    request = replace(PDF, text_layer="auto", words=True)
    file = as_file(draw_pdf([["two words"], []]))
    async with running() as pool:
        text, blank = [await pool.render(request, file, index) for index in (0, 1)]
    assert [line.text for line in text.lines] == ["two words"]
    assert [word.text for word in text.lines[0].words] == ["two", "words"]
    assert (text.size, text.dpi) == (PageSize(595, 842), 72)
    assert blank.pixels.shape == (842, 595, 3)


async def test_failures_of_a_document_come_back_as_its_errors(as_file):
    async with running() as pool:
        pids = pool.pids
        with pytest.raises(InvalidDocumentError):
            await pool.inspect(PDF, as_file(b"%PDF-1.4 nothing"))
        assert pool.pids == pids


async def test_killed_process_costs_one_page_and_leaves_nothing(make_pdf, as_file):
    file = as_file(_nested_forms(9))
    before = _open_files()
    async with running() as pool:
        (pid,) = pool.pids
        page = asyncio.create_task(pool.render(PDF, file, 0))
        await until(lambda: not pool.pids)
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(DocumentTooCostlyError, match="ended the process"):
            await page
        good = await pool.render(replace(PDF, document_id="b"), as_file(make_pdf()), 0)
        assert good.pixels.shape == (100, 200, 3)
        del good
        assert pool.pids
        assert pid not in pool.pids
    assert _open_files() == before


async def test_process_killed_while_idle_is_replaced_unnoticed(make_pdf, as_file):
    async with running() as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.1)
        assert (await pool.inspect(PDF, as_file(make_pdf()))).page_count == 1


async def test_hanging_page_ends_at_the_time_limit(make_pdf, as_file):
    async with running(timeout=0.5) as pool:
        with pytest.raises(DocumentTooCostlyError, match="PAGE_TIMEOUT"):
            await pool.render(PDF, as_file(_nested_forms(9)), 0)
        good = await pool.inspect(replace(PDF, document_id="b"), as_file(make_pdf()))
        assert good.page_count == 1


async def test_memory_limit_costs_one_document(make_pdf, as_file):
    huge = replace(PDF, document_id="huge", dpi=600, max_pixels=10**9)
    async with running(memory=128 << 20) as pool:
        with pytest.raises((DocumentTooCostlyError, InvalidDocumentError)):
            await pool.render(huge, as_file(make_pdf(size=(2400, 2400))), 0)
        assert (await pool.render(PDF, as_file(make_pdf()), 0)).pixels.shape == (100, 200, 3)


async def test_caller_that_leaves_frees_the_process(make_pdf, as_file):
    async with running() as pool:
        (pid,) = pool.pids
        page = asyncio.create_task(pool.render(PDF, as_file(_nested_forms(9)), 0))
        await until(lambda: not pool.pids)
        page.cancel()
        with pytest.raises(asyncio.CancelledError):
            await page
        good = await pool.inspect(replace(PDF, document_id="b"), as_file(make_pdf()))
        assert good.page_count == 1
        assert pid not in pool.pids


async def test_quick_page_of_a_caller_that_left_keeps_its_process(make_pdf, as_file):
    async with running() as pool:
        pids = pool.pids
        page = asyncio.create_task(pool.render(PDF, as_file(make_pdf()), 0))
        for _ in range(100_000):  # every turn of the loop is looked at: a page is quick
            if not pool.pids or page.done():
                break
            await asyncio.sleep(0)
        assert not page.done()
        page.cancel()
        await until(lambda: pool.pids)
        assert pool.pids == pids


async def test_pages_of_one_document_are_drawn_side_by_side(make_pdf, as_file):
    file = as_file(make_pdf(*"abcdefgh"))
    async with running(size=2) as pool:
        pages = await asyncio.gather(*(pool.render(PDF, file, index) for index in range(8)))
        assert len(pool.pids) == 2
    assert len({page.pixels.tobytes() for page in pages}) == 8


async def test_closing_ends_every_process():
    async with running(size=2) as pool:
        pids = pool.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

"""Searchable PDFs out of real processes: within their limits, and alone when they fail."""

import asyncio
import math
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pymupdf
import pytest
from PIL import Image

from preprocess_service.errors import (
    DocumentTooCostlyError,
    EncryptedDocumentError,
    InvalidDocumentError,
)
from preprocess_service.pages.source import RasterRequest
from preprocess_service.reading.rasterizer import PROGRAM, Rasterizer
from preprocess_service.sandbox.pool import SandboxPool
from preprocess_service.sandbox.processor_time import ProcessorTime
from tests.unit.preprocess_service.formatting.documents import line, page
from tests.waiting import until

PDF = RasterRequest("a", "application/pdf", dpi=144, max_pages=10, max_pixels=50_000_000)
MEMORY = 512 << 20


@asynccontextmanager
async def running(memory=MEMORY, timeout=20.0):
    pool = SandboxPool(PROGRAM, 1, memory, timeout, ProcessorTime(60, 2))
    await pool.start()
    try:
        yield Rasterizer(pool)
    finally:
        await pool.close()


def _read(number=1, text="added"):
    return page(line(text, 200, 20, width=80), number=number, width=400, height=200, dpi=144)


async def test_text_comes_back_behind_the_pages(make_pdf, as_file):
    file = as_file(make_pdf("a", "b", "c"))
    async with running() as rasterizer:
        data = await rasterizer.add_text(PDF, file, [_read(1, "first\nrow"), _read(3, "third")])
        # The document that the process had open was not the one that was written to.
        assert (await rasterizer.render(PDF, file, 1)).size.width == 400
    with pymupdf.open(stream=data) as pdf:
        assert [set(item.get_text().split()) for item in pdf] == [
            {"a", "firstrow"}, {"c", "third"},
        ]  # fmt: skip


async def test_failures_are_the_document_s_and_cost_no_process(make_pdf, as_file):
    locked = make_pdf("x", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret")
    async with running() as rasterizer:
        pids = rasterizer.pool.pids
        with pytest.raises(InvalidDocumentError):
            await rasterizer.add_text(PDF, as_file(b"%PDF-1.4 nothing"), [_read()])
        with pytest.raises(EncryptedDocumentError):
            await rasterizer.add_text(PDF, as_file(locked), [_read()])
        with pytest.raises(InvalidDocumentError):
            await rasterizer.add_text(PDF, as_file(make_pdf("a")), [_read(number=2)])
        assert rasterizer.pool.pids == pids


def _noise(as_file, side):
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    file = as_file(b"")
    Image.fromarray(pixels).save(file.name, "BMP")
    return file


async def test_memory_limit_costs_one_document(make_pdf, as_file):
    request = replace(PDF, media_type="image/bmp")
    async with running(memory=128 << 20) as rasterizer:
        with pytest.raises((DocumentTooCostlyError, InvalidDocumentError)):
            await rasterizer.add_text(
                request, _noise(as_file, 6000), [page(width=6000, height=6000)]
            )
        other = replace(PDF, document_id="b")
        assert await rasterizer.add_text(other, as_file(make_pdf()), [_read()])


async def test_time_limit_grows_with_the_pages(make_pdf, as_file):
    file = as_file(make_pdf(*"abcdefgh"))
    lines = [line("a row of text " * 8, 10, 10 + i, words=["word"] * 80) for i in range(150)]
    heavy = [page(*lines, number=n, width=400, height=200) for n in range(1, 9)]
    async with running(timeout=0.02) as rasterizer:
        with pytest.raises(DocumentTooCostlyError, match="PAGE_TIMEOUT"):
            await rasterizer.add_text(PDF, file, heavy)
        await until(lambda: rasterizer.pool.pids)
        good = await rasterizer.add_text(
            replace(PDF, document_id="b"), file, [_read(n) for n in range(1, 9)]
        )
        assert good.startswith(b"%PDF-")


async def test_caller_that_leaves_frees_the_process(make_pdf, as_file):
    lines = [line("word " * 20, 10, 10 + i, words=["word"] * 20) for i in range(2000)]
    async with running() as rasterizer:
        work = asyncio.create_task(
            rasterizer.add_text(
                PDF, as_file(make_pdf("a")), [page(*lines, width=400, height=200)] * 1
            )
        )
        await until(lambda: not rasterizer.pool.pids)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        other = replace(PDF, document_id="b")
        assert math.isclose((await rasterizer.inspect(other, as_file(make_pdf()))).page_count, 1)

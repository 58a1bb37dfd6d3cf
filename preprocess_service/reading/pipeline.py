"""The pipeline: an upload in, its pages out as they are read."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from opentelemetry.trace import SpanKind

from preprocess_service import metrics
from preprocess_service.document import Document
from preprocess_service.inference.engine import OcrEngine
from preprocess_service.pages.source import DocumentInfo, RasterRequest, TextPage
from preprocess_service.problem import ServiceError
from preprocess_service.reading.assembly import (
    PageResult,
    assemble_document,
    assemble_failed_page,
    assemble_page,
    assemble_text_page,
)
from preprocess_service.reading.budget import PageBudget, TextBudget, text_bytes
from preprocess_service.reading.identify import Identifier, Limits, Upload
from preprocess_service.reading.rasterizer import Rasterizer
from preprocess_service.tracing import span
from preprocess_service.turns import Party


@dataclass(frozen=True)
class OpenDocument:
    """An upload that was found readable, its pages, and what is left for their text."""

    upload: Upload
    info: DocumentInfo
    text: TextBudget

    def without_pages(self, numbers: Container[int]) -> "OpenDocument":
        """The same document with fewer pages to read; numbers are counted from 1."""
        left = [
            (index, size)
            for index, size in zip(self.info.page_indices, self.info.sizes, strict=True)
            if index + 1 not in numbers
        ]
        indices, sizes = [index for index, _ in left], [size for _, size in left]
        return replace(self, info=replace(self.info, page_indices=indices, sizes=sizes))


OnRead = Callable[[PageResult], Awaitable[None]]


class OcrPipeline:
    """Reads documents: decoded and drawn by `rasterizer`, read by `engine`, within `budget`."""

    def __init__(
        self, engine: OcrEngine, rasterizer: Rasterizer, budget: PageBudget, limits: Limits
    ) -> None:
        self.identifier = Identifier(engine, limits)
        self._engine = engine
        self._rasterizer = rasterizer
        self._budget = budget
        self._limits = limits

    async def is_ready(self) -> bool:
        """Whether pages can be read now."""
        return await self._engine.is_ready()

    async def read(self, upload: Upload) -> Document:
        """The whole document.

        Raises:
            ServiceError: The document cannot be read, or none of its pages, or the engine is away.
        """
        with _counted_if_lost(upload.options.strategy):
            document = await self.open(upload)
            async with aclosing(self.read_pages(document)) as results:
                pages = [result async for result in results]
            return assemble_document(upload, document.info, pages, lambda: upload.elapsed_ms)

    async def open(self, upload: Upload) -> OpenDocument:
        """The document, before any page is read.

        Raises:
            ServiceError: It cannot be read as what it is, or has too many pages.
        """
        info = await self._rasterizer.inspect(upload.raster, upload.file)
        return OpenDocument(upload, info, TextBudget(self._limits.max_result_bytes))

    async def read_pages(
        self, document: OpenDocument, on_read: OnRead | None = None
    ) -> AsyncGenerator[PageResult, None]:
        """The pages in order, each as soon as it and those before it are read.

        `on_read` is awaited with each page as soon as it is read, whatever the order.

        A few pages are in flight at once, so memory does not grow with the document. Closing the
        iterator stops the work.

        Raises:
            ServiceError: The engine is away; failures of a page alone are in its result.
        """
        in_flight: deque[asyncio.Task[PageResult]] = deque()
        metrics.DOCUMENTS_IN_WORK.inc()
        try:
            for position in range(len(document.info.page_indices)):
                if len(in_flight) == self._limits.pages_in_flight:
                    yield await in_flight[0]
                    in_flight.popleft()
                in_flight.append(asyncio.create_task(self._read_one(document, position, on_read)))
            while in_flight:
                yield await in_flight[0]
                in_flight.popleft()
        finally:
            for task in in_flight:
                task.cancel()
            await asyncio.gather(*in_flight, return_exceptions=True)
            metrics.DOCUMENTS_IN_WORK.dec()

    async def add_text(self, request: RasterRequest, file: BinaryIO, document: Document) -> bytes:
        """A PDF of the pages that were read, as they were, with their text behind them.

        Raises:
            ServiceError: Writing it takes more than it may.
        """
        return await self._rasterizer.add_text(request, file, document.pages)

    async def _read_one(
        self, document: OpenDocument, position: int, on_read: OnRead | None
    ) -> PageResult:
        result = await self._read_page(document, position)
        _count_page(document.upload.options.strategy, result)
        if on_read is not None:
            await on_read(result)
        return result

    async def _read_page(self, document: OpenDocument, position: int) -> PageResult:
        """The page, or its problem where the failure is that page's alone."""
        upload = document.upload
        index, size = document.info.page_indices[position], document.info.sizes[position]
        try:
            size.require_within(self._limits.max_pixels)
            document.text.require_left()
            party = Party(upload.context.caller, upload.raster.document_id)
            async with self._budget.hold(size.rgb_bytes, party):
                result = await self._draw_and_recognize(upload, index)
            result = replace(result, text_bytes=text_bytes(result.page))
            document.text.spend(result.text_bytes)
            return result
        except ServiceError as exc:
            if not exc.page_alone:
                raise
            problem = exc.problem(upload.context.request_id)
            page = assemble_failed_page(index, size, upload.raster.dpi, problem)
            return PageResult(page, error=exc)

    async def _draw_and_recognize(self, upload: Upload, index: int) -> PageResult:
        started = time.perf_counter()
        parent, number = upload.context.traceparent, {"ocr.page": index + 1}
        with span("rasterize", parent, number):
            raster = await self._rasterizer.render(upload.raster, upload.file, index)
        if isinstance(raster, TextPage):
            return PageResult(
                assemble_text_page(index, raster, upload.options), rasterize_ms=_ms_since(started)
            )
        enhance_ms = raster.enhancement.milliseconds if raster.enhancement else 0.0
        rasterize_ms, started = _ms_since(started) - enhance_ms, time.perf_counter()
        with span("inference", parent, number, SpanKind.CLIENT) as trace:
            context = replace(upload.context, traceparent=trace.traceparent)
            reading = await self._engine.recognize(raster.pixels, upload.reading, context)
        inference_ms = _ms_since(started)
        page = assemble_page(index, raster, reading, upload.options)
        return PageResult(
            page,
            rasterize_ms=rasterize_ms,
            enhance_ms=enhance_ms,
            inference_ms=inference_ms,
        )


def _count_page(strategy: str, result: PageResult) -> None:
    outcome = "failed" if result.error else "succeeded"
    metrics.PAGES.labels(strategy, result.page.source, outcome).inc()
    if result.error is None:
        metrics.STAGE_SECONDS.labels("rasterize").observe(result.rasterize_ms / 1000)
        if result.enhance_ms:
            metrics.STAGE_SECONDS.labels("enhance").observe(result.enhance_ms / 1000)
        if result.page.source == "ocr":
            metrics.STAGE_SECONDS.labels("inference").observe(result.inference_ms / 1000)
        metrics.LINES_PER_PAGE.observe(len(result.page.lines))


@contextmanager
def _counted_if_lost(strategy: str) -> Iterator[None]:
    try:
        yield
    except asyncio.CancelledError:
        metrics.DOCUMENTS.labels(strategy, "canceled").inc()
        raise
    except Exception:
        metrics.DOCUMENTS.labels(strategy, "failed").inc()
        raise


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000

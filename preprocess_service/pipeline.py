"""The use case: a document in, its pages out as they are read."""

import asyncio
import os
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal, Protocol

from opentelemetry.trace import SpanKind

from preprocess_service import metrics
from preprocess_service.assembly import (
    assemble_failed_page,
    assemble_page,
    assemble_text_page,
    merge_text,
)
from preprocess_service.budget import PageBudget
from preprocess_service.document import Document, Metadata, Page, ProcessingTime
from preprocess_service.errors import InvalidOptionsError, ServiceError
from preprocess_service.imaging.raster import DocumentInfo, RasterPage, RasterRequest, TextPage
from preprocess_service.imaging.sniff import HEAD_BYTES, PDF, sniff_media_type
from preprocess_service.inference.engine import CallContext, OcrEngine, ReadingOptions
from preprocess_service.languages import resolve_languages
from preprocess_service.options import OcrOptions
from preprocess_service.tracing import span

# The strategy that looks closest is worth more pixels than the others.
_STRATEGY_DPI = {"accuracy": 200}


class Rasterizer(Protocol):
    """What the pipeline needs of `imaging.pool.RasterizerPool`."""

    async def inspect(self, request: RasterRequest, file: BinaryIO) -> DocumentInfo:
        """Page count, sizes and metadata of a document."""
        ...

    async def render(
        self, request: RasterRequest, file: BinaryIO, index: int
    ) -> RasterPage | TextPage:
        """One page, counted from 0: its own text where the request wants it, else its pixels."""
        ...

    async def add_text(
        self, request: RasterRequest, file: BinaryIO, pages: Sequence[Page]
    ) -> bytes:
        """The pages that were read as a PDF, as they were, with their text behind them."""
        ...


@dataclass(frozen=True)
class OriginalFile:
    """A document's file, for formats that keep its pages."""

    rasterizer: Rasterizer
    file: BinaryIO
    request: RasterRequest

    async def with_text(self, document: Document) -> bytes:
        """A PDF of the pages that were read, as they were, with their text behind them.

        Raises:
            ServiceError: Writing it takes more than it may.
        """
        return await self.rasterizer.add_text(self.request, self.file, document.pages)


@dataclass(frozen=True)
class Limits:
    """What one document may take."""

    max_pages: int
    max_pixels: int
    default_dpi: int
    pages_in_flight: int


@dataclass(frozen=True)
class OpenDocument:
    """A document that was found readable, and how its pages are to be read."""

    file: BinaryIO
    raster: RasterRequest
    info: DocumentInfo
    options: OcrOptions
    reading: ReadingOptions
    context: CallContext

    def without_pages(self, numbers: Container[int]) -> "OpenDocument":
        """The same document with fewer pages to read; numbers are counted from 1."""
        left = [
            (index, size)
            for index, size in zip(self.info.page_indices, self.info.sizes, strict=True)
            if index + 1 not in numbers
        ]
        indices, sizes = [index for index, _ in left], [size for _, size in left]
        return replace(self, info=replace(self.info, page_indices=indices, sizes=sizes))


@dataclass(frozen=True)
class PageResult:
    """A page with what it cost, and the error it carries as `problem`."""

    page: Page
    rasterize_ms: float = 0.0
    enhance_ms: float = 0.0
    inference_ms: float = 0.0
    error: ServiceError | None = None


OnRead = Callable[[PageResult], Awaitable[None]]


class OcrPipeline:
    """Reads documents: decoded and drawn by `rasterizer`, read by `engine`, within `budget`."""

    def __init__(
        self, engine: OcrEngine, rasterizer: Rasterizer, budget: PageBudget, limits: Limits
    ) -> None:
        self._engine = engine
        self._rasterizer = rasterizer
        self._budget = budget
        self._limits = limits

    async def read(self, file: BinaryIO, options: OcrOptions, context: CallContext) -> Document:
        """The whole document.

        Args:
            file: A file of the operating system (it has a `fileno`), at any position.
            options: How to read it.
            context: Whom to read it for.

        Raises:
            ServiceError: The document cannot be read, or none of its pages, or the engine is away.
        """
        started = time.perf_counter()
        with _counted_if_lost(options.strategy):
            document = await self.open(file, options, context)
            async with aclosing(self.read_pages(document)) as results:
                pages = [result async for result in results]
            return assemble_document(document, pages, lambda: _ms_since(started))

    def original(self, file: BinaryIO, options: OcrOptions) -> OriginalFile:
        """The file of a document that was read with these options, for `Format.write`."""
        media_type = sniff_media_type(os.pread(file.fileno(), HEAD_BYTES, 0))
        return OriginalFile(self._rasterizer, file, self._raster_request(media_type, options))

    async def is_ready(self) -> bool:
        """Whether pages can be read now."""
        return await self._engine.is_ready()

    async def open(
        self,
        file: BinaryIO,
        options: OcrOptions,
        context: CallContext,
        release: int | None = None,
    ) -> OpenDocument:
        """Check the document and the options against what can be done, before any page is read.

        `release` is the one that pages were read with before; another is taken if it is gone.

        Raises:
            ServiceError: The document or an option cannot be honoured, or the engine is away.
        """
        media_type = sniff_media_type(os.pread(file.fileno(), HEAD_BYTES, 0))
        if options.text_layer == "only" and media_type != PDF:
            raise InvalidOptionsError(f"text_layer: only a PDF has one, not {media_type}.")
        engine = await self._engine.describe(context.request_id, release)
        languages = resolve_languages(options.language, engine.languages.get(options.strategy, {}))
        raster = self._raster_request(media_type, options)
        return OpenDocument(
            file=file,
            raster=raster,
            info=await self._rasterizer.inspect(raster, file),
            options=options,
            reading=ReadingOptions(
                engine.release,
                options.strategy,
                languages,
                options.detect_orientation,
                options.words,
            ),
            context=context,
        )

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

    async def _read_one(
        self, document: OpenDocument, position: int, on_read: OnRead | None
    ) -> PageResult:
        result = await self._read_page(document, position)
        _count_page(document.options.strategy, result)
        if on_read is not None:
            await on_read(result)
        return result

    async def _read_page(self, document: OpenDocument, position: int) -> PageResult:
        """The page, or its problem where the failure is that page's alone."""
        index, size = document.info.page_indices[position], document.info.sizes[position]
        try:
            size.require_within(self._limits.max_pixels)
            async with self._budget.hold(size.rgb_bytes):
                return await self._draw_and_recognize(document, index)
        except ServiceError as exc:
            if not exc.page_alone:
                raise
            problem = exc.problem(document.context.request_id)
            page = assemble_failed_page(index, size, document.raster.dpi, problem)
            return PageResult(page, error=exc)

    async def _draw_and_recognize(self, document: OpenDocument, index: int) -> PageResult:
        started = time.perf_counter()
        parent, number = document.context.traceparent, {"ocr.page": index + 1}
        with span("rasterize", parent, number):
            raster = await self._rasterizer.render(document.raster, document.file, index)
        if isinstance(raster, TextPage):
            return PageResult(assemble_text_page(index, raster), _ms_since(started))
        enhance_ms = raster.enhancement.milliseconds if raster.enhancement else 0.0
        rasterize_ms, started = _ms_since(started) - enhance_ms, time.perf_counter()
        with span("inference", parent, number, SpanKind.CLIENT) as trace:
            context = replace(document.context, traceparent=trace.traceparent)
            reading = await self._engine.recognize(raster.pixels, document.reading, context)
        inference_ms = _ms_since(started)
        page = assemble_page(index, raster, reading, document.options.confidence_threshold)
        return PageResult(page, rasterize_ms, enhance_ms, inference_ms)

    def _raster_request(self, media_type: str, options: OcrOptions) -> RasterRequest:
        by_strategy = _STRATEGY_DPI.get(options.strategy, self._limits.default_dpi)
        return RasterRequest(
            document_id=uuid.uuid4().hex,
            media_type=media_type,
            dpi=options.dpi or max(by_strategy, self._limits.default_dpi),
            max_pages=self._limits.max_pages,
            max_pixels=self._limits.max_pixels,
            page_range=options.page_range,
            password=options.password,
            text_layer=options.text_layer,
            words=options.words,
            enhance=_choose_enhancement(options),
        )


def _choose_enhancement(options: OcrOptions) -> str:
    """The level asked for, or the strategy's."""
    level = options.enhance or ("none" if options.strategy == "speed" else "auto")
    return "auto+deskew" if (level, options.strategy) == ("auto", "accuracy") else level


def assemble_document(
    document: OpenDocument, results: Sequence[PageResult], elapsed_ms: Callable[[], float]
) -> Document:
    """The answer out of the pages' results.

    Raises:
        ServiceError: No page could be read: the first page's error.
    """
    started = time.perf_counter()
    errors = [result.error for result in results if result.error is not None]
    if errors and len(errors) == len(results):
        raise errors[0]
    pages = tuple(result.page for result in results)
    text = merge_text(pages) if document.options.merge_pages else None
    status: Literal["partial", "succeeded"] = "partial" if errors else "succeeded"
    metrics.DOCUMENTS.labels(document.options.strategy, status).inc()
    metrics.STAGE_SECONDS.labels("total").observe(elapsed_ms() / 1000)
    return Document(
        request_id=document.context.request_id,
        status=status,
        release=document.reading.release,
        strategy=document.options.strategy,
        language=document.reading.languages,
        processing_ms=ProcessingTime(
            rasterize=round(sum(result.rasterize_ms for result in results), 1),
            enhance=round(sum(result.enhance_ms for result in results), 1),
            inference=round(sum(result.inference_ms for result in results), 1),
            format=round(_ms_since(started), 1),
            total=round(elapsed_ms(), 1),
        ),
        metadata=Metadata(
            media_type=document.raster.media_type,
            pages=document.info.page_count,
            **document.info.metadata,
        ),
        text=text,
        pages=pages,
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

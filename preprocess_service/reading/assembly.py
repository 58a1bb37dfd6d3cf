"""Readings of pages → pages, and pages → the document that is the answer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from preprocess_service import metrics
from preprocess_service.document import Document, Line, Metadata, Page, ProcessingTime, Quality
from preprocess_service.inference.engine import PageReading
from preprocess_service.options import OcrOptions
from preprocess_service.pages.frames import move_line, reading_to_page
from preprocess_service.pages.source import DocumentInfo, PageSize, RasterPage, TextPage
from preprocess_service.problem import Problem, ServiceError
from preprocess_service.reading.identify import Upload
from preprocess_service.rows import as_rows, number_rows, row_text


@dataclass(frozen=True)
class PageResult:
    """A page with what it cost, and the error it carries as `problem`."""

    page: Page
    text_bytes: int = 0
    rasterize_ms: float = 0.0
    enhance_ms: float = 0.0
    inference_ms: float = 0.0
    error: ServiceError | None = None


def assemble_page(
    index: int, raster: RasterPage, reading: PageReading, options: OcrOptions
) -> Page:
    """The page at `index` (from 0), upright, without the lines under the threshold."""
    width, height = raster.size.width, raster.size.height
    if reading.rotation in (90, 270):
        height, width = width, height
    lines = number_rows(
        [line for line in reading.lines if line.confidence >= options.confidence_threshold]
    )
    done = raster.enhancement
    if raster.frame is not None:
        to_page = reading_to_page(raster.frame, raster.pixels_size, reading.rotation)
        lines = tuple(move_line(line, to_page) for line in lines)
    return Page(
        number=index + 1,
        width=width,
        height=height,
        dpi=raster.dpi,
        rotation=reading.rotation,
        skew_degrees=done and done.quality.skew,
        source="ocr",
        text=_text_of(lines, options),
        confidence=mean_confidence(lines),
        quality=done and Quality(**asdict(done.quality)),
        enhanced=done.applied if done else (),
        lines=lines,
        lines_omitted=len(reading.lines) - len(lines),
    )


def assemble_text_page(index: int, page: TextPage, options: OcrOptions) -> Page:
    """The page at `index` (from 0) as its own text has it: certain, and as it is shown."""
    lines = number_rows(page.lines)
    return Page(
        number=index + 1,
        width=page.size.width,
        height=page.size.height,
        dpi=page.dpi,
        rotation=0,
        skew_degrees=None,
        source="text_layer",
        text=_text_of(lines, options),
        confidence=mean_confidence(lines),
        lines=lines,
    )


def _text_of(lines: Sequence[Line], options: OcrOptions) -> str:
    rows = as_rows(lines) if options.rows else [(line,) for line in lines]
    return "\n".join(map(row_text, rows))


def assemble_failed_page(index: int, size: PageSize, dpi: int, problem: Problem) -> Page:
    """The page at `index` (from 0) that could not be read, with what is known of it."""
    return Page(
        number=index + 1,
        width=size.width,
        height=size.height,
        dpi=dpi,
        rotation=0,
        skew_degrees=None,
        source="ocr",
        text="",
        confidence=None,
        lines=(),
        problem=problem,
    )


def assemble_document(
    upload: Upload,
    info: DocumentInfo,
    results: Sequence[PageResult],
    elapsed_ms: Callable[[], float],
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
    text = merge_text(pages) if upload.options.merge_pages else None
    status: Literal["partial", "succeeded"] = "partial" if errors else "succeeded"
    metrics.DOCUMENTS.labels(upload.options.strategy, status).inc()
    metrics.STAGE_SECONDS.labels("total").observe(elapsed_ms() / 1000)
    return Document(
        request_id=upload.context.request_id,
        status=status,
        release=upload.reading.release,
        strategy=upload.options.strategy,
        language=upload.reading.languages,
        processing_ms=ProcessingTime(
            rasterize=round(sum(result.rasterize_ms for result in results), 1),
            enhance=round(sum(result.enhance_ms for result in results), 1),
            inference=round(sum(result.inference_ms for result in results), 1),
            format=round((time.perf_counter() - started) * 1000, 1),
            total=round(elapsed_ms(), 1),
        ),
        metadata=Metadata(
            media_type=upload.raster.media_type, pages=info.page_count, **info.metadata
        ),
        text=text,
        pages=pages,
    )


def merge_text(pages: Sequence[Page]) -> str:
    """The text of all pages as one, without page breaks; pages without text leave no trace."""
    return "".join(f"{page.text}\n" for page in pages if page.text)


def mean_confidence(lines: Sequence[Line]) -> float | None:
    """The lines' confidence, weighted by their length; None without lines."""
    characters = sum(len(line.text) for line in lines)
    if not characters:
        return None
    return round(sum(line.confidence * len(line.text) for line in lines) / characters, 4)

"""Readings of pages → pages and documents in the frame and the words of the contract."""

from collections.abc import Sequence
from dataclasses import asdict

from preprocess_service.document import Line, Page, Quality
from preprocess_service.errors import Problem
from preprocess_service.imaging.frames import move_line, reading_to_page
from preprocess_service.imaging.raster import PageSize, RasterPage, TextPage
from preprocess_service.inference.engine import PageReading


def assemble_page(
    index: int, raster: RasterPage, reading: PageReading, confidence_threshold: float
) -> Page:
    """The page at `index` (from 0), upright, without the lines under the threshold."""
    width, height = raster.size.width, raster.size.height
    if reading.rotation in (90, 270):
        height, width = width, height
    lines = tuple(line for line in reading.lines if line.confidence >= confidence_threshold)
    done = raster.enhancement
    if done is not None and done.to_page is not None:
        frame = reading_to_page(done, raster.pixels_size, reading.rotation)
        lines = tuple(move_line(line, frame) for line in lines)
    return Page(
        number=index + 1,
        width=width,
        height=height,
        dpi=raster.dpi,
        rotation=reading.rotation,
        skew_degrees=done and done.quality.skew,
        source="ocr",
        text="\n".join(line.text for line in lines),
        confidence=mean_confidence(lines),
        quality=done and Quality(**asdict(done.quality)),
        enhanced=done.applied if done else (),
        lines=lines,
        lines_omitted=len(reading.lines) - len(lines),
    )


def assemble_text_page(index: int, page: TextPage) -> Page:
    """The page at `index` (from 0) as its own text has it: certain, and as it is shown."""
    return Page(
        number=index + 1,
        width=page.size.width,
        height=page.size.height,
        dpi=page.dpi,
        rotation=0,
        skew_degrees=None,
        source="text_layer",
        text="\n".join(line.text for line in page.lines),
        confidence=mean_confidence(page.lines),
        lines=page.lines,
    )


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


def merge_text(pages: Sequence[Page]) -> str:
    """The text of all pages as one, without page breaks; pages without text leave no trace."""
    return "".join(f"{page.text}\n" for page in pages if page.text)


def mean_confidence(lines: Sequence[Line]) -> float | None:
    """The lines' confidence, weighted by their length; None without lines."""
    characters = sum(len(line.text) for line in lines)
    if not characters:
        return None
    return round(sum(line.confidence * len(line.text) for line in lines) / characters, 4)

"""Readings of pages → pages and documents in the frame and the words of the contract."""

from collections.abc import Sequence

from preprocess_service.document import Line, Page
from preprocess_service.errors import Problem
from preprocess_service.imaging.raster import PageSize, RasterPage
from preprocess_service.inference.engine import PageReading


def assemble_page(
    index: int, raster: RasterPage, reading: PageReading, confidence_threshold: float
) -> Page:
    """The page at `index` (from 0), upright, without the lines under the threshold."""
    height, width = raster.pixels.shape[:2]
    if reading.rotation in (90, 270):
        height, width = width, height
    lines = tuple(line for line in reading.lines if line.confidence >= confidence_threshold)
    return Page(
        number=index + 1,
        width=width,
        height=height,
        dpi=raster.dpi,
        rotation=reading.rotation,
        skew_degrees=None,
        source="ocr",
        text="\n".join(line.text for line in lines),
        confidence=mean_confidence(lines),
        lines=lines,
        lines_omitted=len(reading.lines) - len(lines),
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

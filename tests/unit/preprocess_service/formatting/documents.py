"""Documents laid out by hand, for the tests of every format."""

from collections.abc import Iterable, Sequence

from preprocess_service.document import (
    Document,
    Line,
    Metadata,
    Page,
    Point,
    Polygon,
    ProcessingTime,
    Word,
)
from preprocess_service.problem import Problem, ServiceError


def line(
    text: str,
    left: float,
    top: float,
    *,
    width: float | None = None,
    height: float = 20,
    words: Sequence[str] = (),
) -> Line:
    """A level line; as wide as its letters unless told."""
    right = left + (10 * len(text) if width is None else width)
    return Line(
        text=text, confidence=0.9, polygon=_rectangle(left, top, right, top + height),
        bbox=(left, top, right, top + height),
        words=tuple(_words(words, left, top, height)) or None,
    )  # fmt: skip


def tilted(text: str, polygon: Polygon) -> Line:
    xs, ys = zip(*polygon, strict=True)
    bbox = (min(xs), min(ys), max(xs), max(ys))
    return Line(text=text, confidence=0.9, polygon=polygon, bbox=bbox)


def paragraph(texts: Iterable[str], left: float, top: float, pitch: float = 24) -> list[Line]:
    return [line(text, left, top + pitch * i, width=300) for i, text in enumerate(texts)]


def page(
    *lines: Line,
    number: int = 1,
    width: int = 600,
    height: int = 800,
    dpi: int = 100,
    rotation: int = 0,
    source: str = "ocr",
    problem: Problem | None = None,
) -> Page:
    return Page(
        number=number, width=width, height=height, dpi=dpi, rotation=rotation, skew_degrees=None,
        source=source, text="\n".join(item.text for item in lines),
        confidence=0.9 if lines else None, lines=lines, problem=problem,
    )  # fmt: skip


def failed_page(number: int, error: ServiceError) -> Page:
    return page(number=number, width=0, height=0, problem=error.problem("r"))


def document(*pages: Page, language: tuple[str, ...] = ("en",), title: str = "") -> Document:
    return Document(
        request_id="r", status="succeeded", release=1, strategy="balanced", language=language,
        processing_ms=ProcessingTime(rasterize=1, enhance=0, inference=2, format=0, total=3),
        metadata=Metadata(media_type="application/pdf", pages=len(pages), title=title or None),
        pages=pages,
    )  # fmt: skip


def _words(texts: Sequence[str], left: float, top: float, height: float) -> Iterable[Word]:
    for text in texts:
        right = left + 10 * len(text)
        yield Word(
            text=text, confidence=0.8, polygon=_rectangle(left, top, right, top + height),
            bbox=(left, top, right, top + height),
        )  # fmt: skip
        left = right + 10


def _rectangle(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    points: tuple[Point, Point, Point, Point] = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return points

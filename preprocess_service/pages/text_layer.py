"""A PDF page's own text, in place of reading its pixels."""

from collections.abc import Sequence

import pymupdf

from preprocess_service.document import BoundingBox, Line, Point, Polygon, Word
from preprocess_service.errors import PageTooLargeError
from preprocess_service.pages.text_lines import WrittenLine, written_lines
from preprocess_service.pages.text_order import in_reading_order
from preprocess_service.pages.text_trust import is_readable, shows_whole_page

# A page of a telephone book has 20,000; more are an attack, or data that hides in a page.
_MAX_CHARACTERS = 200_000
# Ligatures become letters; what has no Unicode value stays marked as such, so that it is noticed.
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
_SHOWN_TEXT = {"fill-text", "stroke-text"}


def read_trusted_text(page: pymupdf.Page, scale: float, *, words: bool) -> tuple[Line, ...] | None:
    """The text of a page as its reader sees it; None where only pixels can tell that.

    Args:
        page: With annotations and form fields, whose text counts.
        scale: Pixels per point.
        words: Whether lines carry their words.
    """
    drawn = page.get_bboxlog()
    if not any(kind in _SHOWN_TEXT for kind, _ in drawn):
        return None
    lines = [line for line in _lines(page) if line.visible]
    characters = sum(len(line.glyphs) for line in lines)
    if not lines or characters > _MAX_CHARACTERS or not _is_readable(lines):
        return None
    # As wide and high as the page is before it is turned: so are the boxes.
    area = pymupdf.Rect(page.rect) * page.derotation_matrix
    boxes = [_bounding_box(line.corners) for line in lines]
    if not shows_whole_page((0.0, 0.0, area.x1, area.y1), boxes, characters, drawn):
        return None
    return _to_document(page, lines, scale, words=words)


def read_all_text(page: pymupdf.Page, scale: float, *, words: bool) -> tuple[Line, ...]:
    """Everything that is written in a page, also where it cannot be seen.

    Nothing where the characters make no sense, as fonts without a Unicode table give them.

    Raises:
        PageTooLargeError: The page has more characters than any page that is read.
    """
    lines = _lines(page)
    characters = sum(len(line.glyphs) for line in lines)
    if characters > _MAX_CHARACTERS:
        raise PageTooLargeError(
            f"The page's own text has {characters} characters; allowed are {_MAX_CHARACTERS}. "
            "`text_layer=ignore` reads what is seen of it."
        )
    return _to_document(page, lines, scale, words=words) if _is_readable(lines) else ()


def _lines(page: pymupdf.Page) -> list[WrittenLine]:
    return written_lines(page.get_text("rawdict", flags=_FLAGS))


def _is_readable(lines: Sequence[WrittenLine]) -> bool:
    return is_readable(" ".join(line.raw_text for line in lines))


def _to_document(
    page: pymupdf.Page, lines: Sequence[WrittenLine], scale: float, *, words: bool
) -> tuple[Line, ...]:
    frame = page.rotation_matrix * pymupdf.Matrix(scale, scale)

    def outline(corners: Polygon) -> dict[str, Polygon | BoundingBox]:
        points = [pymupdf.Point(corner) * frame for corner in corners]
        rounded: list[Point] = [(round(p.x, 1), round(p.y, 1)) for p in points]
        polygon = (rounded[0], rounded[1], rounded[2], rounded[3])
        return {"polygon": polygon, "bbox": _bounding_box(polygon)}

    def to_line(line: WrittenLine) -> Line:
        found = [Word(text=w.text, confidence=1.0, **outline(w.corners)) for w in line.words]
        return Line(
            text=line.text,
            confidence=1.0,
            words=tuple(found) if words else None,
            **outline(line.corners),
        )

    return tuple(to_line(line) for line in in_reading_order([x for x in lines if x.text]))


def _bounding_box(corners: Polygon) -> BoundingBox:
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)

"""What MuPDF finds written on a page → lines and words with their outlines."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

Point = tuple[float, float]

# Fonts claim ascenders and descenders of anything; letters have these, as shares of the font size.
_ASCENTS, _DESCENTS = (0.7, 0.95), (0.15, 0.3)
# MuPDF ends a line at gaps that justified text has between its words, and at every sign of
# vertical text; both are shares of the font size.
_WIDEST_GAP, _LETTER_GAP, _SAME_BASELINE = 1.2, 0.15, 0.25
# How MuPDF says that a character is painted.
_FILLED, _STROKED = 16, 32

_REPLACEMENT = "\ufffd"
_SOFT_HYPHEN = "\u00ad"
_JOINERS = "\u200c\u200d"


@lru_cache(maxsize=8192)
def is_writing(character: str) -> bool:
    """Whether a reader would call it a character: no private, unassigned or control code."""
    if character == _REPLACEMENT:
        return False
    return character in _JOINERS or unicodedata.category(character) not in (
        "Cc", "Cf", "Cn", "Co", "Cs",
    )  # fmt: skip


@dataclass(frozen=True)
class Glyph:
    """One character: where it begins and ends along its line and across it, in points."""

    text: str
    start: float
    end: float
    top: float
    bottom: float


@dataclass(frozen=True)
class WrittenWord:
    """Text without spaces, and its corners clockwise from the reading top-left, in points."""

    text: str
    corners: tuple[Point, Point, Point, Point]


@dataclass(frozen=True)
class WrittenLine:
    """One line of a page: its characters, in the order in which they are read.

    Attributes:
        direction: In which it runs, a vector of length 1; y grows downwards.
        upright: The characters stand one below the other.
        size: Of the font, in points.
        visible: It is painted, and not transparent.
    """

    glyphs: tuple[Glyph, ...]
    direction: Point
    upright: bool
    size: float
    visible: bool

    @cached_property
    def words(self) -> tuple[WrittenWord, ...]:
        """The line's words, without characters that cannot be read."""
        words = ((_text_of(glyphs), glyphs) for glyphs in _split_at_spaces(self.glyphs))
        return tuple(WrittenWord(text, self._outline(glyphs)) for text, glyphs in words if text)

    @property
    def text(self) -> str:
        """The words, joined by spaces."""
        return " ".join(word.text for word in self.words)

    @property
    def raw_text(self) -> str:
        """The characters as they stand in the file."""
        return "".join(glyph.text for glyph in self.glyphs)

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        """Around the words, clockwise from the reading top-left, in points."""
        return self._outline([glyph for glyph in self.glyphs if not glyph.text.isspace()])

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Start, end, top and bottom along and across the direction."""
        return _extent(self.glyphs)

    def _outline(self, glyphs: Sequence[Glyph]) -> tuple[Point, Point, Point, Point]:
        start, end, top, bottom = _extent(glyphs)
        (ux, uy), (vx, vy) = self.direction, _across(self.direction)

        def at(along: float, over: float) -> Point:
            return along * ux + over * vx, along * uy + over * vy

        corners = at(start, top), at(end, top), at(end, bottom), at(start, bottom)
        # Such a line is turned by 90 degrees while its characters are not.
        return (corners[3], corners[0], corners[1], corners[2]) if self.upright else corners


RawText: TypeAlias = dict[str, Any]
"""What PyMuPDF calls `rawdict`."""


def written_lines(raw: RawText) -> list[WrittenLine]:
    """The lines of a page, in the order of the file; those that are not painted apart."""
    found: list[WrittenLine] = []
    for block in raw["blocks"]:
        first = len(found)
        for line in block.get("lines", ()):
            for part in _parts(line):
                if len(found) > first and (joined := _join(found[-1], part)):
                    found[-1] = joined
                else:
                    found.append(part)
    return [line for line in found if line.raw_text.strip()]


def _parts(line: RawText) -> Iterator[WrittenLine]:
    """The line, cut where painted text and text that is not painted meet."""
    direction = (float(line["dir"][0]), float(line["dir"][1]))
    upright = line["wmode"] == 1
    glyphs: list[Glyph] = []
    spans = [span for span in line["spans"] if span["chars"]]
    for i, span in enumerate(spans):
        glyphs += _glyphs(span, direction, upright)
        visible = _is_visible(span)
        if i + 1 == len(spans) or _is_visible(spans[i + 1]) != visible:
            yield WrittenLine(tuple(glyphs), direction, upright, float(span["size"]), visible)
            glyphs = []


def _is_visible(span: RawText) -> bool:
    return bool(span["char_flags"] & (_FILLED | _STROKED)) and span["alpha"] > 0


def _glyphs(span: RawText, direction: Point, upright: bool) -> Iterator[Glyph]:
    (ux, uy), (vx, vy) = direction, _across(direction)
    size = float(span["size"])
    ascent = _within(float(span["ascender"]), _ASCENTS) * size
    descent = _within(-float(span["descender"]), _DESCENTS) * size
    for char in span["chars"]:
        x0, y0, x1, y1 = char["bbox"]
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        along, over = x * ux + y * uy, x * vx + y * vy
        if upright:
            half, top, bottom = (y1 - y0) / 2, over - size / 2, over + size / 2
        else:
            # A turned box tells little of the glyph's length, but its middle is the glyph's.
            half = abs(along - (char["origin"][0] * ux + char["origin"][1] * uy))
            baseline = char["origin"][0] * vx + char["origin"][1] * vy
            top, bottom = baseline - ascent, baseline + descent
        yield Glyph(char["c"], along - half, along + half, top, bottom)


def _join(one: WrittenLine, other: WrittenLine) -> WrittenLine | None:
    """One line of both where the second continues the first, else None."""
    if one.direction != other.direction or one.visible != other.visible:
        return None
    _, end, _, bottom = one.extent
    start, _, _, other_bottom = other.extent
    gap, size = start - end, max(one.size, other.size)
    widest = _LETTER_GAP if one.upright else _WIDEST_GAP
    if abs(bottom - other_bottom) > _SAME_BASELINE * size or not -size / 4 < gap < widest * size:
        return None
    glyphs = list(one.glyphs)
    if gap > _LETTER_GAP * size:
        glyphs.append(Glyph(" ", end, start, other.glyphs[0].top, other.glyphs[0].bottom))
    joined = (*glyphs, *other.glyphs)
    return WrittenLine(joined, one.direction, one.upright, size, one.visible)


def _split_at_spaces(glyphs: Iterable[Glyph]) -> Iterator[list[Glyph]]:
    word: list[Glyph] = []
    for glyph in glyphs:
        if glyph.text.isspace():
            yield word
            word = []
        else:
            word.append(glyph)
    yield word


def _text_of(glyphs: Sequence[Glyph]) -> str:
    text = "".join(glyph.text for glyph in glyphs).replace(_SOFT_HYPHEN, "-")
    return unicodedata.normalize("NFC", "".join(filter(is_writing, text)))


def _extent(glyphs: Sequence[Glyph]) -> tuple[float, float, float, float]:
    return (
        min(glyph.start for glyph in glyphs),
        max(glyph.end for glyph in glyphs),
        min(glyph.top for glyph in glyphs),
        max(glyph.bottom for glyph in glyphs),
    )


def _within(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])


def _across(direction: Point) -> Point:
    return -direction[1], direction[0]

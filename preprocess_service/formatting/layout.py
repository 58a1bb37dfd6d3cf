"""Lines in reading order → blocks: paragraphs, headings, lists and tables, by geometry alone."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from preprocess_service.document import BoundingBox, Document, Line, Page
from preprocess_service.formatting.tables import part_tables
from preprocess_service.geometry import place
from preprocess_service.rows import Row, as_rows

BlockKind = Literal["heading", "paragraph", "list", "table"]

# Heights of a line: largest gap inside a paragraph, between items, and where a paragraph begins.
_PARAGRAPH_GAP, _ITEM_GAP = 0.6, 2.0
_MOST_SPACED = 1.5
_INDENT = (1.0, 4.0)
# Larger or smaller writing is another block.
_SAME_SIZE = 1.25
_SHARED_WIDTH = 0.3
# Heights relative to the document's body text at which a short block is a heading.
_HEADING_LEVELS = ((1.8, 1), (1.5, 2), (1.3, 3))
_HEADING_LINES, _HEADING_CHARACTERS = 2, 120

_BULLET = re.compile(r"\s*(?:[•◦▪▫‣●○■□∙]\s*|[-\u2013*·]\s+)(?=\S)")
_NUMBER = re.compile(r"\s*\(?(\d{1,3}|[a-z])(?:\)|(?<=\d)\.)\s+(?=\S)")


@dataclass(frozen=True)
class Block:
    """Lines that belong together.

    Attributes:
        parts: Of a table its rows, each of its cells; of a list its items; else one, all lines.
        level: Of a heading, from 1.
    """

    kind: BlockKind
    parts: tuple[tuple[Line, ...], ...]
    level: int | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines in reading order."""
        return tuple(line for part in self.parts for line in part)

    @property
    def bbox(self) -> BoundingBox:
        """Around all lines."""
        return surround(line.bbox for line in self.lines)


def surround(boxes: Iterable[BoundingBox]) -> BoundingBox:
    """The smallest box around the others."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def split_marker(text: str) -> tuple[str | None, str]:
    """The number of a list item, None for a bullet, and its text."""
    if number := _NUMBER.match(text):
        return number.group(1), text[number.end() :]
    return None, text[match.end() :] if (match := _BULLET.match(text)) else text


def body_height(document: Document) -> float:
    """Height of most of the document's writing in inches; 0 where there is none."""
    heights = [
        (_height(line) / page.dpi, len(line.text)) for page in document.pages for line in page.lines
    ]
    half = sum(characters for _, characters in heights) / 2
    for height, characters in sorted(heights):
        half -= characters
        if half <= 0:
            return height
    return 0.0


def find_blocks(page: Page, body: float) -> list[Block]:
    """The page's blocks in reading order; every line is in exactly one.

    Args:
        page: Its lines are in reading order.
        body: The document's `body_height`.
    """
    gap = _paragraph_gap(page.lines)
    blocks: list[Block] = []
    for is_table, rows in part_tables(as_rows(page.lines)):
        blocks += [Block("table", tuple(rows))] if is_table else _find_prose(rows, gap)
    return [_settle(block, body * page.dpi) for block in blocks]


def _find_prose(rows: Sequence[Row], gap: float) -> list[Block]:
    blocks: list[Block] = []
    for line in (line for row in rows for line in row):
        current = blocks[-1] if blocks else None
        is_item = _is_item(line, current)
        if current and current.kind == "list" and is_item and _follows(current, line, _ITEM_GAP):
            blocks[-1] = Block("list", (*current.parts, (line,)))
        elif current and not is_item and _follows(current, line, gap):
            blocks[-1] = Block(current.kind, (*current.parts[:-1], (*current.parts[-1], line)))
        else:
            blocks.append(Block("list" if is_item else "paragraph", ((line,),)))
    return blocks


def _is_item(line: Line, current: Block | None) -> bool:
    """Whether the line begins an item of a list; a number within a sentence does not."""
    if _BULLET.match(line.text):
        return True
    if not _NUMBER.match(line.text):
        return False
    within = current and current.kind == "paragraph" and _follows(current, line, _PARAGRAPH_GAP)
    return not within or (current is not None and current.lines[-1].text.endswith(":"))


def _follows(block: Block, line: Line, gap: float) -> bool:
    """Whether the line is the block's next one, judged by place and size."""
    last = block.parts[-1][-1]
    low, high = sorted((_height(last), _height(line)))
    if low <= 0 or high > _SAME_SIZE * low:
        return False
    (left, _, right, bottom), (x0, y0, x1, _) = last.bbox, line.bbox
    shared = min(right, x1) - max(left, x0)
    if shared < _SHARED_WIDTH * min(right - left, x1 - x0):
        return False
    if not -0.5 * low <= y0 - bottom <= gap * low:
        return False
    least, most = _INDENT
    starts_paragraph = block.kind == "paragraph" and least * high < x0 - left < most * high
    return not starts_paragraph


def _paragraph_gap(lines: Sequence[Line]) -> float:
    """The largest gap within a paragraph: more where the page is widely spaced throughout."""
    gaps = [
        (line.bbox[1] - above.bbox[3]) / _height(line)
        for above, line in pairwise(lines)
        if 0 <= line.bbox[1] - above.bbox[3] < _MOST_SPACED * _height(line)
    ]
    return max(_PARAGRAPH_GAP, min(1.2 * median(gaps), _MOST_SPACED)) if gaps else _PARAGRAPH_GAP


def _settle(block: Block, body_pixels: float) -> Block:
    """The block as what it turns out to be once it is whole."""
    if block.kind == "list" and len(block.parts) == 1 and not _BULLET.match(block.lines[0].text):
        block = Block("paragraph", block.parts)
    if block.kind == "paragraph" and (level := _heading_level(block.lines, body_pixels)):
        return Block("heading", block.parts, level)
    return block


def _heading_level(lines: Sequence[Line], body_pixels: float) -> int | None:
    text = "".join(line.text for line in lines)
    is_short = len(lines) <= _HEADING_LINES and len(text) <= _HEADING_CHARACTERS
    if not is_short or body_pixels <= 0 or not any(map(str.isalpha, text)):
        return None
    size = median(_height(line) for line in lines) / body_pixels
    return next((level for least, level in _HEADING_LEVELS if size >= least), None)


def _height(line: Line) -> float:
    return place(line.text, line.polygon).height

"""Vertical writing: characters that stand upright, one below the other, in columns from the right.

A column is read as a line that runs down the page, as the recognizers learned it. So does a line
of a page that lies on its side: only its characters tell the two apart.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from directions import Direction
from line_crops import FloatArray, side_lengths
from line_reader import Line
from line_words import character_spans
from reading_order import order_lines

SAMPLED = 6
"""So many characters are looked at by themselves."""

_TO_COLUMNS = np.array([[0, -1], [1, 0]], np.float32)


def may_be_vertical(lines: Sequence[Line]) -> bool:
    """Tell whether most of a page's text runs down, in characters that can be set so."""
    down = sum(_count_wide(line.text) for line in lines if line.direction is Direction.DOWN)
    return 2 * down > sum(len(line.text) for line in lines)


def sample_characters(lines: Sequence[Line]) -> list[tuple[str, FloatArray]]:
    """Return some characters of the lines that run down, with outlines as if they stood upright."""
    found = [
        (character, _upright_cell(line, start, end))
        for line in lines
        if line.direction is Direction.DOWN
        for character, start, end in character_spans(line.pieces)
        if _count_wide(character)
    ]
    return found[:: -(-len(found) // SAMPLED)]


def in_columns(lines: Sequence[Line]) -> list[Line]:
    """Return lines in the order of vertical writing: columns from right to left."""
    # Turned by a quarter, columns are rows: from top to bottom, each from left to right.
    rows = np.array([line.reading_polygon @ _TO_COLUMNS for line in lines], np.float32)
    return [lines[i] for i in order_lines(rows)]


def _count_wide(text: str) -> int:
    return sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def _upright_cell(line: Line, start: float, end: float) -> FloatArray:
    """The square around a part of a column, clockwise from its top left on the page."""
    top_right, bottom_right, bottom_left, top_left = line.reading_polygon
    length, thickness = side_lengths(line.reading_polygon)
    middle, half = (start + end) / 2, thickness / length / 2
    corners = [(top_left, bottom_left), (top_right, bottom_right)]
    top, bottom = (
        [head + min(max(share, 0.0), 1.0) * (foot - head) for head, foot in corners]
        for share in (middle - half, middle + half)
    )
    return np.array([*top, *reversed(bottom)], np.float32)

"""Rows of a page: lines that stand side by side, such as an item and its price."""

from collections.abc import Sequence
from itertools import pairwise

from preprocess_service.document import Line
from preprocess_service.geometry import place

Row = tuple[Line, ...]

_SHARED_HEIGHT = 0.5
# Lines that are steeper have what is beside them in the next column.
_LEVEL_DEGREES = 45
# Parts further apart, in heights of the lower one, stand in columns.
_COLUMN_GAP = 1.0
#: Between parts of a row that stand in columns.
COLUMN_BREAK = "\t"


def as_rows(lines: Sequence[Line]) -> list[Row]:
    """The lines in their order, neighbors in it that stand side by side as one row."""
    rows: list[Row] = []
    for line in lines:
        if rows and _are_side_by_side(rows[-1][-1], line):
            rows[-1] = (*rows[-1], line)
        else:
            rows.append((line,))
    return rows


def number_rows(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines with the number of their row, from 1."""
    return tuple(
        line.model_copy(update={"row": number})
        for number, row in enumerate(as_rows(lines), start=1)
        for line in row
    )


def row_text(row: Row) -> str:
    """The parts of a row, a `COLUMN_BREAK` between those that stand in columns, else a blank."""
    text = row[0].text
    for part, following in pairwise(row):
        text += (COLUMN_BREAK if _are_in_columns(part, following) else " ") + following.text
    return text


def _are_side_by_side(one: Line, other: Line) -> bool:
    (left, top, right, bottom), (x0, y0, x1, y1) = one.bbox, other.bbox
    shared = min(bottom, y1) - max(top, y0)
    is_level = shared > _SHARED_HEIGHT * min(bottom - top, y1 - y0)
    return is_level and (x0 >= right or x1 <= left) and not (_is_steep(one) or _is_steep(other))


def _is_steep(line: Line) -> bool:
    return abs(place(line.text, line.polygon).degrees) > _LEVEL_DEGREES


def _are_in_columns(one: Line, other: Line) -> bool:
    (left, top, right, bottom), (x0, y0, x1, y1) = one.bbox, other.bbox
    return max(x0 - right, left - x1) > _COLUMN_GAP * min(bottom - top, y1 - y0)

"""The order in which a person reads the lines of a text layer.

A file may hold them in any order, and often holds headers, footers and cells last.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from preprocess_service.pages.text_lines import WrittenLine

Boxes = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

# Fewer lines one below the other are rows of a form rather than a column of prose.
_COLUMN_LINES = 4
# Cells are short: a line of prose is this many times as long as high ...
_PROSE_ASPECT = 6
# ... and ends where the next one does, within this many heights, in this share of the lines.
_EDGE_HEIGHTS, _EVEN_EDGES = 2.0, 0.35
# Titles, figures and footers may cross the gutter of two columns, but not more lines than these.
_MOST_CROSSING = 0.3
# Columns stand side by side for this share of the shorter one.
_SIDE_BY_SIDE = 0.5
# Lines whose middles are this close, as a share of the lower one's height, stand in one row.
_ROW_HEIGHT = 0.5


def in_reading_order(lines: Sequence[WrittenLine]) -> list[WrittenLine]:
    """The lines as a person reads them: column after column, else row by row.

    What is written sideways, vertically or from right to left is read in its own direction.
    """
    if len(lines) < 2:
        return list(lines)
    boxes = _boxes(lines)
    return [lines[i] for i in _order(boxes, np.arange(len(lines)))]


def _boxes(lines: Sequence[WrittenLine]) -> Boxes:
    """Bounding boxes along and across the direction in which most of the text runs."""
    lengths: Counter[tuple[float, float]] = Counter()
    for line in lines:
        lengths[line.direction] += len(line.glyphs)
    (ux, uy), _ = lengths.most_common(1)[0]
    points = np.array([line.corners for line in lines]) @ np.array([[ux, -uy], [uy, ux]])
    if _runs_to_the_left(lines):
        points[..., 0] *= -1
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)


def _runs_to_the_left(lines: Sequence[WrittenLine]) -> bool:
    directions = Counter(_bidirectional(char) for line in lines for char in line.text)
    return directions["R"] + directions["AL"] > directions["L"]


@lru_cache(maxsize=8192)
def _bidirectional(character: str) -> str:
    return unicodedata.bidirectional(character)


def _order(boxes: Boxes, indices: Indices) -> list[int]:
    gutter = _find_gutter(boxes[indices])
    if gutter is None:
        return _rows(boxes, indices)
    ordered: list[int] = []
    for band in _bands(boxes, indices, gutter):
        middles = (boxes[band, 0] + boxes[band, 2]) / 2
        ordered += _order(boxes, band[middles < gutter]) + _order(boxes, band[middles >= gutter])
    return ordered


def _bands(boxes: Boxes, indices: Indices, gutter: float) -> list[Indices]:
    """Groups from top to bottom; a line that crosses the gutter is one by itself."""
    from_top = indices[np.argsort(boxes[indices, 1], kind="stable")]
    crosses = (boxes[from_top, 0] < gutter) & (boxes[from_top, 2] > gutter)
    cuts = np.flatnonzero(crosses[1:] | crosses[:-1]) + 1
    return np.split(from_top, cuts)


def _find_gutter(boxes: Boxes) -> float | None:
    """Where a blank strip parts two columns of prose, None where none does."""
    if len(boxes) < 2 * _COLUMN_LINES:
        return None
    ends = np.unique(boxes[:, 2])[:-1]
    crossing = (boxes[:, 0] < ends[:, None]) & (boxes[:, 2] > ends[:, None])
    for i in np.argsort(crossing.sum(axis=1), kind="stable"):
        if crossing[i].mean() > _MOST_CROSSING:
            return None
        free = boxes[~crossing[i]]
        left, right = free[free[:, 2] <= ends[i]], free[free[:, 0] >= ends[i]]
        if _is_prose(left) and _is_prose(right) and _are_side_by_side(left, right):
            return float((left[:, 2].max() + right[:, 0].min()) / 2)
    return None


def _is_prose(column: Boxes) -> bool:
    if len(column) < _COLUMN_LINES:
        return False
    height = np.median(column[:, 3] - column[:, 1])
    if np.median(column[:, 2] - column[:, 0]) < _PROSE_ASPECT * height:
        return False
    ends = column[np.argsort(column[:, 1], kind="stable"), 2]
    return bool((np.abs(np.diff(ends)) < _EDGE_HEIGHTS * height).mean() >= _EVEN_EDGES)


def _are_side_by_side(left: Boxes, right: Boxes) -> bool:
    (left_top, left_bottom), (right_top, right_bottom) = _span(left), _span(right)
    shared = min(left_bottom, right_bottom) - max(left_top, right_top)
    return shared >= _SIDE_BY_SIDE * min(left_bottom - left_top, right_bottom - right_top)


def _span(boxes: Boxes) -> tuple[float, float]:
    return float(boxes[:, 1].min()), float(boxes[:, 3].max())


def _rows(boxes: Boxes, indices: Indices) -> list[int]:
    rows: list[list[int]] = []
    middles, heights = (boxes[:, 1] + boxes[:, 3]) / 2, boxes[:, 3] - boxes[:, 1]
    for index in map(int, indices[np.argsort(middles[indices], kind="stable")]):
        last = rows[-1][-1] if rows else index
        apart = abs(middles[index] - middles[last])
        if rows and apart < _ROW_HEIGHT * min(heights[index], heights[last]):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda i: float(boxes[i, 0]))]

"""Coordinate frames: of the pixels that were read, and of the page as the reader sees it."""

from collections.abc import Sequence
from functools import reduce
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from preprocess_service.document import Line, Word
from preprocess_service.pages.source import PageFrame, PageSize

Matrix = npt.NDArray[np.float64]

Outlined = TypeVar("Outlined", Line, Word)


def reading_to_page(frame: PageFrame, read: PageSize, rotation: int) -> Matrix:
    """The 3 by 3 map from the pixels as read, turned upright, to the page turned upright.

    Args:
        frame: Where the pixels lie in the page.
        read: Size of the pixels that were read, before they were turned.
        rotation: Degrees clockwise by which they were turned to stand upright.
    """
    back = np.linalg.inv(turning(read, rotation))
    return np.asarray(turning(frame.size, rotation) @ _square(frame.to_page) @ back, np.float64)


def page_frame(size: PageSize, *maps: Sequence[float]) -> PageFrame:
    """The frame of pixels that lead to a page of that size through affine maps, the last first."""
    whole = reduce(np.matmul, map(_square, maps))
    return PageFrame(size, tuple(whole[:2].ravel().tolist()))


def _square(affine: Sequence[float]) -> Matrix:
    return np.array([*affine, 0.0, 0.0, 1.0]).reshape(3, 3)


def turning(size: PageSize, degrees: int) -> Matrix:
    """The map from a page of that size to the same page turned clockwise by quarter turns."""
    width, height = float(size.width), float(size.height)
    return np.array(
        {
            0: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            90: [[0, -1, height], [1, 0, 0], [0, 0, 1]],
            180: [[-1, 0, width], [0, -1, height], [0, 0, 1]],
            270: [[0, 1, 0], [-1, 0, width], [0, 0, 1]],
        }[degrees],
        dtype=np.float64,
    )


def move_line(line: Line, frame: Matrix) -> Line:
    """The line, and its words, in the frame to which the map leads; rounded to a tenth."""
    words = line.words and tuple(_move(word, frame) for word in line.words)
    return _move(line, frame).model_copy(update={"words": words})


def _move(item: Outlined, frame: Matrix) -> Outlined:
    corners = np.asarray(item.polygon) @ frame[:2, :2].T + frame[:2, 2]
    polygon = tuple((round(x, 1), round(y, 1)) for x, y in corners.tolist())
    xs, ys = zip(*polygon, strict=True)
    bbox = (min(xs), min(ys), max(xs), max(ys))
    return item.model_copy(update={"polygon": polygon, "bbox": bbox})

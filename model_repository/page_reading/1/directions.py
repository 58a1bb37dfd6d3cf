"""Which way a line runs: what its outline allows, and what the readings say.

A tall outline is a single letter ("1" in a table's cell), or a line that runs up the page or down
it. The outline alone does not tell which; a crop that is turned the wrong way reads badly.
"""

from __future__ import annotations

from enum import IntEnum

import line_crops
import numpy as np
from line_crops import FloatArray

TALL_RATIO = 1.5
"""An outline at least this much higher than wide may be a line that does not run to the right."""

TALLEST_LETTER = 3.0
"""An outline at most this much higher than wide may be a letter that stands upright."""


class Direction(IntEnum):
    """Where a line's text runs; the value: by how many corners its outline is to be rolled."""

    RIGHT = 0
    UP = 1
    LEFT = 2
    DOWN = 3


def possible_directions(polygon: FloatArray) -> tuple[Direction, ...]:
    """Return the ways in which a line may run, the likeliest first."""
    width, height = line_crops.side_lengths(polygon)
    if height < TALL_RATIO * width:
        return (Direction.RIGHT,)
    if height <= TALLEST_LETTER * width:
        return (Direction.RIGHT, Direction.UP, Direction.DOWN)
    return (Direction.UP, Direction.DOWN)


def outline_along(polygon: FloatArray, direction: Direction) -> FloatArray:
    """Return an outline whose first side is along the text, clockwise from its reading top left.

    Args:
        polygon: FP32 [4, 2], clockwise from the corner that is the top left on the page.
        direction: Of the text.
    """
    return np.asarray(np.roll(polygon, direction, axis=0), np.float32)

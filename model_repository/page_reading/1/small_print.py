"""How small a page's print is, so that a page of a thousand lines is not shrunk to gray."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from canvas import shrink

Image = npt.NDArray[np.uint8]

LEGIBLE_HEIGHT = 3.2
"""Letters of the median page are 6 to 8 pixels high at detection size; the detector finds 3.7."""

WANTED_HEIGHT = 5.0
"""Print below that is detected at the scale that makes it so high, in pixels."""

MOST_ENLARGED = 3.0
"""But at no more than this many times the usual scale: nine windows instead of one."""

LEAST_GLYPHS = 200
"""Fewer do not make a page of small print."""

_NEIGHBOURHOOD, _CONTRAST = 31, 15


def legible_scale(pixels: Image, scale: float) -> float:
    """Return the scale for detection: the usual one, or a larger one for small print.

    Costs nothing where the page has less than twice the resolution of `scale`, else some 10 ms.
    """
    if scale > 0.5:
        return scale
    height = glyph_height(shrink(pixels, 2 * scale)) / 2
    if not 0 < height < LEGIBLE_HEIGHT:
        return scale
    return min(1.0, scale * min(MOST_ENLARGED, WANTED_HEIGHT / height))


def glyph_height(pixels: Image) -> float:
    """Return the median height of what looks like letters, in pixels; 0 where there are few."""
    gray = np.ascontiguousarray(pixels[..., pixels.shape[2] // 2])
    ink = cv2.adaptiveThreshold(
        gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, _NEIGHBOURHOOD, _CONTRAST
    )
    _, _, statistics, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height, area = statistics[1:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_AREA + 1].T
    letters = (
        (height >= 3)
        & (width >= 2)
        & (height <= 100)
        & (width <= 3 * height)
        & (height <= 6 * width)
        & (area >= 6)
    )
    return float(np.median(height[letters])) if letters.sum() >= LEAST_GLYPHS else 0.0

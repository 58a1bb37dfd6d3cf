"""Where the detector looks: one canvas for an ordinary page, windows for a long one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scaling import resize

Image = npt.NDArray[np.uint8]

OVERLAP_PIXELS = 160
"""Neighbouring windows share this much, so that a line cut by one is whole in the other."""

SEAM_PIXELS = 32
"""At an inner edge this much is left to the neighbour: the detector lacks context there."""


@dataclass(frozen=True)
class Window:
    """A part of the scaled page, in its pixels, and the canvas (height, width) that carries it."""

    top: int
    left: int
    height: int
    width: int
    canvas: tuple[int, int]


def detection_scale(size: tuple[int, ...], limit_long_side: int, limit_short_side: int) -> float:
    """Return the factor, at most 1, by which a page is shrunk for detection.

    The page then has its long side or its short side within its limit, whichever keeps
    more pixels: an ordinary page is bound by the first, a long receipt by the second.
    """
    long_side, short_side = max(size), min(size)
    return min(1.0, max(limit_long_side / long_side, limit_short_side / short_side))


def plan_windows(height: int, width: int, canvases: Sequence[tuple[int, int]]) -> list[Window]:
    """Return the windows that cover a scaled page with the fewest canvas pixels in total."""
    best: list[Window] = []
    for canvas in canvases:
        tops = _starts(height, canvas[0])
        lefts = _starts(width, canvas[1])
        if not best or len(tops) * len(lefts) * _area(canvas) < len(best) * _area(best[0].canvas):
            best = [
                Window(top, left, min(height, canvas[0]), min(width, canvas[1]), canvas)
                for top in tops
                for left in lefts
            ]
    return best


def _area(canvas: tuple[int, int]) -> int:
    return canvas[0] * canvas[1]


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - OVERLAP_PIXELS) / (side - OVERLAP_PIXELS))
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def shrink(pixels: Image, scale: float) -> Image:
    """Return the page at detection size; the page itself where nothing is to shrink."""
    if scale >= 1.0:
        return pixels
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return resize(pixels, *size, cv2.INTER_AREA)


def fill_canvas(page: Image, window: Window) -> Image:
    """Return the window's part of the page on its canvas, [height, width, 3]; the rest white."""
    canvas = np.full((*window.canvas, 3), 255, np.uint8)
    part = page[window.top : window.top + window.height, window.left : window.left + window.width]
    canvas[: part.shape[0], : part.shape[1]] = part
    return canvas


def stitch(shape: tuple[int, int], windows: Sequence[Window], maps: Sequence[Image]) -> Image:
    """Return one probability map of the scaled page: the strongest answer of all windows."""
    page = np.zeros(shape, np.uint8)
    for window, probabilities in zip(windows, maps, strict=True):
        top = window.top + (SEAM_PIXELS if window.top else 0)
        left = window.left + (SEAM_PIXELS if window.left else 0)
        bottom, right = window.top + window.height, window.left + window.width
        bottom -= SEAM_PIXELS if bottom < shape[0] else 0
        right -= SEAM_PIXELS if right < shape[1] else 0
        inner = probabilities[
            top - window.top : bottom - window.top, left - window.left : right - window.left
        ]
        region = page[top:bottom, left:right]
        np.maximum(region, inner, out=region)
    return page

"""From line polygons to upright crops of the recognizer's height."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scaling import resize

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

TIGHTEST_SQUEEZE = 0.55
"""Beyond this share of its natural width a line is split: characters melt together (measured)."""

WORD_GAP_RATIO = 0.2
"""A cut through a blank gap wider than this share of the line's height is a space."""


@dataclass(frozen=True)
class Crop:
    """A piece of a line: pixels [height, width, 1 or 3]; `spaced` when a blank stands before it.

    `squeeze` is its width as a share of the natural one; `left` and `right` are where it begins
    and ends, as shares of the line's length.
    """

    line_index: int
    pixels: Image
    squeeze: float = 1.0
    spaced: bool = False
    left: float = 0.0
    right: float = 1.0


def side_lengths(polygon: FloatArray) -> tuple[float, float]:
    """Return a polygon's width and height along its reading direction, in pixels."""
    top_left, top_right, bottom_right, bottom_left = polygon.tolist()
    width = max(math.dist(top_left, top_right), math.dist(bottom_left, bottom_right))
    height = max(math.dist(top_left, bottom_left), math.dist(top_right, bottom_right))
    return max(width, 1.0), max(height, 1.0)


def crop_line(
    pixels: Image,
    polygon: FloatArray,
    height: int,
    squeeze: float,
    max_width: int,
    tightest: float = TIGHTEST_SQUEEZE,
) -> Image:
    """Return a line upright, `height` pixels high; the polygon's first side is along its text.

    Its width is `squeeze` times the natural one, but no more than `max_width` unless that would
    squeeze it beyond `tightest`: then the caller has to split it.
    """
    natural = _natural_width(polygon, height)
    width = squeeze * natural
    if width > max_width:
        width = max(max_width, min(width, natural * tightest))
    return _warp(pixels, polygon, max(8, math.ceil(width)), height)


def _natural_width(polygon: FloatArray, height: int) -> float:
    length, thickness = side_lengths(polygon)
    return length * height / thickness


def cut_line(
    line_index: int,
    pixels: Image,
    polygon: FloatArray,
    height: int,
    squeeze: float,
    max_width: int,
    tightest: float = TIGHTEST_SQUEEZE,
) -> list[Crop]:
    """Return a line as `crop_line` makes it, in pieces of at most `max_width`."""
    crop = crop_line(pixels, polygon, height, squeeze, max_width, tightest)
    applied = crop.shape[1] / _natural_width(polygon, height)
    return split_crop(line_index, crop, max_width, applied)


def _warp(pixels: Image, polygon: FloatArray, width: int, height: int) -> Image:
    if _is_upright(polygon):
        (left, top), (right, bottom) = np.floor(polygon[0]), np.ceil(polygon[2])
        region = pixels[max(0, int(top)) : int(bottom), max(0, int(left)) : int(right)]
        if region.size:
            shrinks = region.shape[0] > 1.5 * height
            how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            return resize(region, width, height, how)
    target = np.array([[0, 0], [width, 0], [0, height]], np.float32)
    matrix = cv2.getAffineTransform(polygon[[0, 1, 3]].astype(np.float32), target)
    warped = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8).reshape(height, width, pixels.shape[2])


def _is_upright(polygon: FloatArray) -> bool:
    # Half a pixel over the whole line is less than the detector's own error.
    rise = abs(float(polygon[1, 1] - polygon[0, 1]))
    lean = abs(float(polygon[3, 0] - polygon[0, 0]))
    return rise < 1.0 and lean < 1.0 and float(polygon[1, 0]) > float(polygon[0, 0])


def split_crop(line_index: int, crop: Image, max_width: int, squeeze: float = 1.0) -> list[Crop]:
    """Return a crop in pieces of at most `max_width`, cut where there is least ink."""
    width = crop.shape[1]
    if width <= max_width:
        return [Crop(line_index, crop, squeeze)]
    count = math.ceil(width / (0.9 * max_width))
    ink = crop.min(axis=2).astype(np.float32).std(axis=0)
    cuts = [_quiet_column(ink, width * i // count, max_width // 20) for i in range(1, count)]
    edges = [0, *(column for column, _ in cuts), width]
    spaced = [False, *(gap > WORD_GAP_RATIO * crop.shape[0] for _, gap in cuts)]
    return [
        Crop(
            line_index,
            np.ascontiguousarray(crop[:, left:right]),
            squeeze,
            space,
            left / width,
            right / width,
        )
        for left, right, space in zip(edges[:-1], edges[1:], spaced, strict=True)
    ]


def _quiet_column(ink: FloatArray, target: int, reach: int) -> tuple[int, int]:
    """Return middle and width of the widest blank gap near a column, else the faintest column."""
    low = max(1, target - reach)
    window = ink[low : target + reach]
    blank = window < max(4.0, 0.15 * float(ink.max()))
    start, length = _longest_run(blank)
    if length == 0:
        return low + int(window.argmin()), 0
    return low + start + length // 2, length


def _longest_run(flags: npt.NDArray[np.bool_]) -> tuple[int, int]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    if edges.size == 0:
        return 0, 0
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    longest = int(lengths.argmax())
    return int(starts[longest]), int(lengths[longest])


def fill_bucket(crops: Sequence[Crop], width: int, padding: int) -> Image:
    """Return crops as one batch [n, height, width, 3], padded on the right."""
    height = crops[0].pixels.shape[0]
    batch = np.full((len(crops), height, width, 3), padding, np.uint8)
    for row, crop in zip(batch, crops, strict=True):
        row[:, : crop.pixels.shape[1]] = crop.pixels
    return batch

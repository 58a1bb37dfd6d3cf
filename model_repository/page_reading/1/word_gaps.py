"""Spaces that stand in the picture and not in the recognizer's text.

PP-OCR's recognizers leave out many spaces beside digits and punctuation ("Qty: 2" is read "Qty:2").
The picture shows them: a strip without ink that is wider than the gaps between letters.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt
from ctc_decode import DecodedLine

Image = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.intp]

GAP_RATIO = 0.32
"""A strip at least this wide, as a share of the line's height, parts words."""

MARK_GAP_RATIO = 0.6
"""The same beside a point or comma, which fill little of their cell in type of one width."""

NARROW_MARKS = frozenset(".,")

TYPICAL_RATIO = 2.6
"""It is also this many times the line's typical gap: spaced-out letters stay together."""

INK_SHARE = 0.25
"""A pixel this far from the paper, as a share of the line's darkest stroke, is ink."""

LEAST_CONTRAST = 24
"""A line fainter than this many gray levels is taken for noise."""

DARKEST_COLUMN = 0.95
"""The line's darkest stroke is that of the column at this rank: above it are specks."""

MARGIN_SHARE = 0.12
"""The crop's upper and lower edge belong to neighbours and rules; they are not looked at."""


def blank_strips(crop: Image) -> tuple[IntArray, IntArray]:
    """Return starts and ends of the strips of columns without ink, in pixels of the crop.

    Args:
        crop: UINT8 [height, width, 1 or 3], a line of text of either polarity.
    """
    margin = round(MARGIN_SHARE * crop.shape[0])
    gray = np.ascontiguousarray(crop[margin : crop.shape[0] - margin, :, crop.shape[2] // 2])
    levels = np.cumsum(np.bincount(gray.ravel(), minlength=256))
    paper = int(np.searchsorted(levels, levels[-1] // 2))
    distance = np.maximum(
        gray.max(axis=0).astype(np.int16) - paper, paper - gray.min(axis=0).astype(np.int16)
    )
    darkest = np.sort(distance)[int(DARKEST_COLUMN * (len(distance) - 1))]
    blank = distance < max(LEAST_CONTRAST, INK_SHARE * darkest)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], blank.view(np.int8), [0]))))
    return edges[::2], edges[1::2]


def find_word_gaps(
    crop: Image, squeeze: float, line: DecodedLine, pixels_per_step: int
) -> npt.NDArray[np.bool_]:
    """Tell for each character whether a word gap lies between it and the one before it.

    Args:
        crop: The line as the recognizer saw it, without padding.
        squeeze: Its width as a share of its natural width.
        line: What the recognizer read there.
        pixels_per_step: Width of a time step.
    """
    nowhere = np.zeros(len(line.characters), bool)
    if len(nowhere) < 2:
        return nowhere
    left, right = blank_strips(crop)
    middles, widths = (left + right) / 2, right - left
    centers = (line.starts + line.ends + 1) / 2 * pixels_per_step
    after = np.searchsorted(centers, middles)
    inner = (after > 0) & (after < len(centers))
    if not inner.any():
        return nowhere
    gap = np.zeros(len(centers))
    np.maximum.at(gap, after[inner], widths[inner])
    is_mark = np.array([character in NARROW_MARKS for character in line.characters])
    beside_mark = is_mark | np.roll(is_mark, 1)
    least = np.where(beside_mark, MARK_GAP_RATIO, GAP_RATIO) * crop.shape[0] * squeeze
    return np.asarray(gap >= np.maximum(least, TYPICAL_RATIO * np.median(gap[1:])), np.bool_)


def spaced_text(characters: list[str], gaps: npt.NDArray[np.bool_]) -> str:
    """Return the characters with a space at every gap that has none yet.

    Scripts that are written without spaces (Chinese, Japanese) stay as they are.
    """
    parts: list[str] = []
    for character, gap in zip(characters, gaps.tolist(), strict=True):
        if gap and parts and not (_needs_no_space(character) or _needs_no_space(parts[-1])):
            parts.append(" ")
        parts.append(character)
    return "".join(parts)


def _needs_no_space(character: str) -> bool:
    return character == " " or unicodedata.east_asian_width(character) in "WF"

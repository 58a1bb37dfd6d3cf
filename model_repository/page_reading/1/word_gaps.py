"""Spaces that stand in the picture and not in the recognizer's text.

PP-OCR's recognizers leave out many spaces beside digits and punctuation ("Qty: 2" is read "Qty:2").
The picture shows them: a strip without ink that is wider than the gaps between letters.
"""

from __future__ import annotations

import itertools
import unicodedata
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ctc_decode import DecodedLine
from spacing import (
    CELLS_OF_A_SPACE,
    GAP_RATIO,
    NEEDLESS_RATIO,
    cell_width,
    joins,
    least_gap,
    may_be_needless,
    stands_apart,
    tells_cell,
)

Image = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.intp]
FloatArray = npt.NDArray[np.float64]

TYPICAL_RATIO = 2.6
"""A word gap is this many times the line's typical gap: spaced-out letters stay together."""

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


@dataclass(frozen=True)
class Strips:
    """The widest strip without ink between neighbours, and the margins of the line.

    Starts and ends in pixels of the crop; a strip of no width where characters touch.
    """

    starts: FloatArray
    ends: FloatArray
    width: int
    """Of the crop."""


def strips_between(crop: Image, line: DecodedLine, pixels_per_step: int) -> Strips:
    """Return the strips that part the characters which were read in a crop.

    Args:
        crop: The line as the recognizer saw it, without padding.
        line: What the recognizer read there.
        pixels_per_step: Width of a time step.
    """
    centers = (line.starts + line.ends + 1) / 2 * pixels_per_step
    touching = np.concatenate(([0], (centers[1:] + centers[:-1]) / 2, [crop.shape[1]]))
    starts, ends = touching.copy(), touching
    if line.characters:
        left, right = blank_strips(crop)
        by_width = np.argsort(right - left, kind="stable")
        left, right = left[by_width], right[by_width]
        # Of several strips in one place the last one written stays, which is the widest.
        place = np.searchsorted(centers, (left + right) / 2)
        starts[place], ends[place] = left, right
        # A narrow first letter is often found behind its own ink: only a margin is no letter.
        starts[0], ends[0] = 0, max(right[left == 0], default=0)
        starts[-1], ends[-1] = (
            min(left[right == crop.shape[1]], default=crop.shape[1]),
            crop.shape[1],
        )
    return Strips(starts, ends, crop.shape[1])


def find_word_gaps(strips: Strips, line: DecodedLine, em: float) -> npt.NDArray[np.bool_]:
    """Tell for each character whether a word gap lies between it and the one before it.

    Args:
        strips: What parts the characters.
        line: The characters.
        em: Height of the crop, squeezed as its width is.
    """
    gaps = (strips.ends - strips.starts)[:-1]
    found = np.zeros(len(line.characters), bool)
    candidates = np.flatnonzero(gaps[1:] >= GAP_RATIO * em) + 1
    if not candidates.size:
        return found
    distances = np.diff((strips.ends[:-1] + strips.starts[1:]) / 2)
    pairs = list(itertools.pairwise(line.characters))
    cell = cell_width(distances[[tells_cell(*pair) for pair in pairs] & (gaps[1:] > 0)])
    typical = TYPICAL_RATIO * np.median(gaps[1:])
    for i in candidates:
        pair = pairs[i - 1]
        is_even = gaps[i] < typical and not stands_apart(*pair)
        is_wide = not is_even and gaps[i] >= least_gap(*pair) * em
        is_apart = distances[i - 1] >= CELLS_OF_A_SPACE * cell and not joins(*pair)
        found[i] = is_apart if cell else is_wide
    return found


def drop_needless_spaces(
    strips: Strips, line: DecodedLine, em: float
) -> tuple[Strips, DecodedLine]:
    """Return a line without the spaces that the picture does not show inside names.

    Takes and returns strips and characters; `em` as `find_word_gaps` has it.
    """
    widths = strips.ends - strips.starts
    triples = zip(line.characters, line.characters[1:], line.characters[2:], strict=False)
    needless = [
        i
        for i, (before, character, after) in enumerate(triples, start=1)
        if character == " "
        and may_be_needless(before, after)
        and max(widths[i], widths[i + 1]) < NEEDLESS_RATIO * em
    ]
    for i in reversed(needless):
        strips, line = _without(strips, i), line.without(i)
    return strips, line


def _without(strips: Strips, index: int) -> Strips:
    """Of the strips on both sides of a character, the wider one stays."""
    widths = strips.ends - strips.starts
    narrower = index if widths[index] < widths[index + 1] else index + 1
    return Strips(
        np.delete(strips.starts, narrower), np.delete(strips.ends, narrower), strips.width
    )


def missing_spaces(characters: list[str], gaps: npt.NDArray[np.bool_]) -> list[bool]:
    """Tell for each character whether a space is to be written before it.

    Not where there is one, nor in scripts that are written without (Chinese, Japanese).
    """
    needs = [not _needs_no_space(character) for character in characters]
    neighbours = zip(gaps.tolist(), needs, [False, *needs], strict=False)
    return [gap and needed and before for gap, needed, before in neighbours]


def spaced_text(characters: list[str], spaces: list[bool]) -> str:
    """Return the characters with the spaces that were missing."""
    pairs = zip(characters, spaces, strict=True)
    return "".join(f" {character}" if space else character for character, space in pairs)


def _needs_no_space(character: str) -> bool:
    return character == " " or unicodedata.east_asian_width(character) in "WF"

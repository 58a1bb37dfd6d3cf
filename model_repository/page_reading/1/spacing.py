"""How wide a gap has to be between two characters to be a space.

Measured on pages with known text. In type of one width the gaps tell little, since a narrow letter
stands far from its neighbours; how far apart the characters are tells all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

GAP_RATIO = 0.32
"""A narrower gap, as a share of the line's height, is never a space that was overlooked."""

_WITHIN_WORD = 0.4
"""Between two letters, and between two digits: those spaces are rarely overlooked."""

_LEAST_BEFORE = dict.fromkeys(".,;!?", 0.6)
_LEAST_AFTER = dict.fromkeys(".,;", 0.35)
_OPERATORS = frozenset("+=<>\u00d7÷±≠≤≥→←\u2212\u2013\u2014")
_JOINTS = frozenset(".-")

NEEDLESS_RATIO = 0.26
"""A space read beside the point or hyphen of a name ("ftp. debian.org") is at least this wide."""

CELLS_OF_A_SPACE = 1.65
"""In type of one width, characters this many cells apart have a space between them."""

_EVEN, _EVEN_SHARE, _FEWEST = 0.15, 0.8, 6
"""So many distances within 15 % of their median, of at least 6, are those of one width."""


def least_gap(before: str, after: str) -> float:
    """Return the least gap that is a space, as a share of the line's height."""
    if joins(before, after):
        return float("inf")
    least = max(GAP_RATIO, _LEAST_AFTER.get(before, 0), _LEAST_BEFORE.get(after, 0))
    if (before.isalpha() and after.isalpha()) or (before.isdigit() and after.isdigit()):
        return max(least, _WITHIN_WORD)
    return least


def joins(before: str, after: str) -> bool:
    """Tell whether one of two characters is an underscore, which lies too low to be seen."""
    return "_" in (before, after)


def tells_cell(before: str, after: str) -> bool:
    """Tell whether two neighbours are as far apart only in type of one width; digits always are."""
    return " " not in (before, after) and not (before.isdigit() and after.isdigit())


def stands_apart(before: str, after: str) -> bool:
    """Tell whether one of two characters is an operator, which has a gap on either side."""
    return bool(_OPERATORS & {before, after})


def may_be_needless(before: str, after: str) -> bool:
    """Tell whether a space between two characters has to be seen to be believed."""
    return (before.islower() and after in _JOINTS) or (before in _JOINTS and after.islower())


def cell_width(distances: FloatArray) -> float:
    """Return the cell of type of one width, from the distances of neighbours; 0: it is none."""
    if len(distances) < _FEWEST:
        return 0.0
    cell = float(np.median(distances))
    is_even = np.abs(distances - cell) < _EVEN * cell
    return cell if is_even.mean() >= _EVEN_SHARE else 0.0

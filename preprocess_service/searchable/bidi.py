"""Text from right to left as it stands on the page.

Readers of PDF take glyphs by their place and put runs of right-to-left letters into reading order
themselves, as every layout engine leaves them to do. The rules of direction are those of the
Unicode bidirectional algorithm for plain text without embeddings.
"""

import unicodedata
from collections.abc import Iterator
from itertools import groupby, pairwise

_RIGHT_TO_LEFT = {"R", "AL"}
_NUMBER = {"EN", "AN"}
# Between digits they belong to the number: 1,250.00 and 12/2024.
_WITHIN_NUMBERS = {"CS", "ES"}


def is_right_to_left(text: str) -> bool:
    """Whether the text as a whole runs from right to left: its first letter says so."""
    classes = map(unicodedata.bidirectional, text)
    first = next((name for name in classes if name == "L" or name in _RIGHT_TO_LEFT), "L")
    return first != "L"


def visual_runs(text: str) -> list[tuple[str, str]]:
    """Runs of one direction in reading order: what stands left of each, and its glyphs.

    Both are in the order of the page, from left to right. Spaces at the ends of a run from right
    to left are runs of their own: readers leave them where they are.
    """
    if not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text):
        return [("", text)]
    levels = _levels(text)
    order = list(range(len(text)))
    for level in range(max(levels), 0, -1):
        order = _reverse_from(level, order, levels)
    shown = "".join(text[index] for index in order)
    places = {index: place for place, index in enumerate(order)}
    runs = []
    for start, end in _split(text, levels):
        left = min(places[start], places[end - 1])
        runs.append((shown[:left], shown[left : left + end - start]))
    return runs


def _split(text: str, levels: list[int]) -> Iterator[tuple[int, int]]:
    for level, found in groupby(range(len(text)), key=lambda index: levels[index]):
        indices = list(found)
        start, end = indices[0], indices[-1] + 1
        if level % 2:
            run = text[start:end]
            first, last = end - len(run.lstrip()), start + len(run.rstrip())
            bounds = sorted({start, min(first, last), last, end})
        else:
            bounds = [start, end]
        yield from pairwise(bounds)


def _reverse_from(level: int, indices: list[int], levels: list[int]) -> list[int]:
    reordered: list[int] = []
    for is_reversed, run in groupby(indices, key=lambda index: levels[index] >= level):
        found = list(run)
        reordered += found[::-1] if is_reversed else found
    return reordered


def _levels(text: str) -> list[int]:
    """Per character: 0 left to right, 1 right to left, 2 left to right within that."""
    classes = [unicodedata.bidirectional(char) for char in text]
    base = 1 if is_right_to_left(text) else 0
    kinds = _resolve_kinds(classes, "L" if base == 0 else "R")
    of_kind = {"L": 2 * base, "R": 1, "N": 2}
    return [
        of_kind[kind] if kind in of_kind else _neutral_level(kinds, index, base)
        for index, kind in enumerate(kinds)
    ]


def _resolve_kinds(classes: list[str], direction: str) -> list[str]:
    """L, R, N (a number among R), or - for what takes the direction of its surroundings."""
    kinds: list[str] = []
    for index, name in enumerate(classes):
        around = {*classes[max(index - 1, 0) : index], *classes[index + 1 : index + 2]}
        if name == "L" or name in _RIGHT_TO_LEFT:
            direction = "L" if name == "L" else "R"
            kinds.append(direction)
        elif name in _NUMBER or (name in _WITHIN_NUMBERS and around <= _NUMBER):
            kinds.append("L" if direction == "L" else "N")
        else:
            kinds.append(kinds[-1] if name == "NSM" and kinds else "-")
    return kinds


def _neutral_level(kinds: list[str], index: int, base: int) -> int:
    """The level of both neighbors where they agree, else that of the whole text."""
    sides = {"L" if _neighbor(kinds, index, step) == "L" else "R" for step in (-1, 1)}
    reaches_end = any(_neighbor(kinds, index, step) is None for step in (-1, 1))
    if reaches_end or len(sides) > 1:
        return base
    return 1 if sides == {"R"} else 2 * base


def _neighbor(kinds: list[str], index: int, step: int) -> str | None:
    """The nearest kind with a direction on that side."""
    index += step
    while 0 <= index < len(kinds):
        if kinds[index] != "-":
            return kinds[index]
        index += step
    return None

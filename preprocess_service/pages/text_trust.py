"""Whether the text in a PDF page can be taken for what a reader sees there.

Two questions: do the characters make sense (`is_readable`), and is the text all that stands on the
page (`shows_whole_page`)? A wrong yes loses text; a wrong no costs only the time of reading pixels.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from preprocess_service.pages.text_lines import is_writing

Rectangle = tuple[float, float, float, float]
"""x0, y0, x1, y1 in points of the page, not turned."""
DrawnLog = Sequence[tuple[str, Rectangle]]
"""What is painted, one thing over the other, and where: as `page.get_bboxlog()` has it."""

# Of characters without a meaning, as fonts without a Unicode table give them.
_MOST_NONSENSE = 0.05
# Of letters and digits among characters; rules and leaders, which repeat one mark, count once.
_LEAST_LETTERS = 0.4
# Vowels among Latin letters: 0.33 to 0.47 in the languages of Europe. Shifted alphabets, which
# subset fonts without names for their glyphs give, fall out.
_VOWELS, _VOWEL_LETTERS = (0.18, 0.7), 100
# Letters with accents of Latin-1 among Latin letters: Cyrillic or Greek read with the wrong table.
_MOST_ACCENTS, _ACCENT_LETTERS = 0.4, 30
# Of letters that belong to UTF-8 read as Latin-1.
_MOST_MISREAD = 0.05

# Images below this share of the page are illustrations, whatever stands in them.
_IMAGE_SHARE = 0.25
# Text takes at least this share of what the images take; a header over a scan takes a hundredth.
_TEXT_TO_IMAGE = 0.15
# What is painted later and covers this share of the page hides what was written before.
_COVER_SHARE = 0.5
_MOST_COVERED = 0.1
# Letters that were turned into outlines: this many more shapes of their size than characters.
_LETTER_SIDES, _MOST_SHAPES = (2.0, 60.0), 100

_IMAGES = ("fill-image", "fill-imgmask")
_SHOWN_TEXT = ("fill-text", "stroke-text")
_GRID = 64

# Symbol fonts have no other names for their signs.
_LONE_SYMBOL = re.compile("(?:(?<=\\s)|^)[\uf020-\uf0ff](?=\\s|$)")
_REPEATED_MARK = re.compile(r"([^\w\s])\1+")
_CODE_OF_GLYPH = re.compile(r"\(cid:\d+\)")
_MISREAD_UTF8 = re.compile(
    "[\u00c2\u00c3\u00c4\u00c5\u00d0\u00d1\u00e2][\u0080-\u00bf\u2018-\u203a\u20ac\u2122]"
)


def is_readable(text: str) -> bool:
    """Whether the characters make sense as text of some language."""
    signs = _CODE_OF_GLYPH.sub("\ufffd", _LONE_SYMBOL.sub("", text))
    characters = "".join(signs.split())
    if not characters:
        return False
    nonsense = sum(not is_writing(char) for char in characters)
    marked_once = _REPEATED_MARK.sub(r"\1", characters)
    meaningful = sum(map(str.isalnum, marked_once)) + sum(map(_is_mark_of_letter, marked_once))
    return (
        nonsense <= _MOST_NONSENSE * len(characters)
        and meaningful >= _LEAST_LETTERS * len(marked_once)
        and _has_plausible_letters(characters)
    )


def _has_plausible_letters(characters: str) -> bool:
    letters = [base for base in map(_latin_base, characters) if base]
    accents = sum("\u00c0" <= char <= "\u00ff" for char in characters)
    if len(letters) >= _ACCENT_LETTERS and accents > _MOST_ACCENTS * len(letters):
        return False
    misread = 2 * len(_MISREAD_UTF8.findall(characters))
    if misread > _MOST_MISREAD * max(len(letters), _ACCENT_LETTERS):
        return False
    vowels = sum(base in "aeiouy" for base in letters)
    low, high = _VOWELS
    return len(letters) < _VOWEL_LETTERS or low * len(letters) <= vowels <= high * len(letters)


@lru_cache(maxsize=8192)
def _latin_base(character: str) -> str:
    """The small Latin letter without its accents; empty for everything else."""
    base = unicodedata.normalize("NFD", character)[0].lower()
    return base if "a" <= base <= "z" or "\u00df" <= base <= "\u024f" else ""


@lru_cache(maxsize=8192)
def _is_mark_of_letter(character: str) -> bool:
    # Vowels of Indic scripts and Thai, accents that follow their letters.
    return unicodedata.category(character).startswith("M")


def shows_whole_page(
    page: Rectangle, lines: Sequence[Rectangle], characters: int, drawn: DrawnLog
) -> bool:
    """Whether nothing but the visible text can hold writing.

    Not so where images take most of the page and the text is a header, a footer or a stamp, where
    an image lies over the text, or where letters are drawn as outlines.

    Args:
        page: The page, from (0, 0).
        lines: Bounding boxes of its visible lines.
        characters: How many they have.
        drawn: Everything that is painted on it, in that order.
    """
    image_share = _share(page, [box for kind, box in drawn if kind in _IMAGES])
    if image_share >= _IMAGE_SHARE and _share(page, lines) < _TEXT_TO_IMAGE * image_share:
        return False
    shapes = sum(kind == "fill-path" and _is_letter_sized(box) for kind, box in drawn)
    return shapes <= max(_MOST_SHAPES, characters) and not _is_covered(page, drawn)


def _is_letter_sized(box: Rectangle) -> bool:
    low, high = _LETTER_SIDES
    return low <= box[3] - box[1] <= high and box[2] - box[0] <= high


def _is_covered(page: Rectangle, drawn: DrawnLog) -> bool:
    """Whether an image that was painted later hides more than a little of the text."""
    covers = [
        i for i, (kind, box) in enumerate(drawn)
        if kind in _IMAGES and _share(page, [box]) >= _COVER_SHARE
    ]  # fmt: skip
    if not covers:
        return False
    written = [(i, box) for i, (kind, box) in enumerate(drawn) if kind in _SHOWN_TEXT]
    below = [box for i, box in written if i < covers[-1]]
    return _share(page, below) > _MOST_COVERED * _share(page, [box for _, box in written])


def _share(page: Rectangle, boxes: Sequence[Rectangle]) -> float:
    """The share of the page that the boxes take together, on a coarse grid."""
    cells: npt.NDArray[np.bool_] = np.zeros((_GRID * 4, _GRID), np.bool_)
    rows, columns = cells.shape
    width, height = max(page[2], 1e-6), max(page[3], 1e-6)
    for x0, y0, x1, y1 in boxes:
        left, right = _cells(x0 / width, x1 / width, columns)
        top, bottom = _cells(y0 / height, y1 / height, rows)
        cells[top:bottom, left:right] = True
    return float(cells.mean())


def _cells(start: float, end: float, count: int) -> tuple[int, int]:
    """The cells whose middles lie between the two, which are shares of the whole."""
    edges = np.clip(np.rint(np.nan_to_num([start, end]) * count), 0, count).astype(int)
    return int(edges[0]), int(edges[1])

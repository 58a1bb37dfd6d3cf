"""The rows of a paragraph as running text."""

import unicodedata
from collections.abc import Iterable

from preprocess_service.document import Line
from preprocess_service.formatting.characters import clean

_SOFT_HYPHEN = "\N{SOFT HYPHEN}"


def join_lines(lines: Iterable[Line]) -> str:
    """The text without line breaks; a word that was parted by a hyphen becomes whole."""
    text = ""
    for line in lines:
        text = _join(text, clean(line.text))
    return text


def _join(text: str, following: str) -> str:
    if not text or not following:
        return text + following
    if text.endswith(_SOFT_HYPHEN) or _is_parted(text, following):
        return text[:-1] + following
    if _is_written_without_spaces(text[-1]) and _is_written_without_spaces(following[0]):
        return text + following
    return f"{text} {following}"


def _is_parted(text: str, following: str) -> bool:
    return text[-1] in "-\N{HYPHEN}" and text[-2:-1].islower() and following[0].islower()


def _is_written_without_spaces(character: str) -> bool:
    """Whether it is Chinese or Japanese: Korean, as wide, parts its words."""
    return unicodedata.east_asian_width(character) in "WF" and not (
        "\uac00" <= character <= "\ud7a3"
    )

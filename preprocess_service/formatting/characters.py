"""Text as it may stand in XML, HTML and tables, and the rows of a paragraph as running text."""

import re
import unicodedata
from collections.abc import Iterable

from preprocess_service.document import Line, Word

# What XML 1.0 cannot hold even as a reference, C1 controls, surrogates and noncharacters.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Those of full width begin a formula too, where East Asian programs read them.
_FORMULA = re.compile('"*[=+\\-@\uff1d\uff0b\uff0d\uff20]')
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*%?")
_SPACES = re.compile(r"\s+")
_SOFT_HYPHEN = "\N{SOFT HYPHEN}"


def clean(text: str) -> str:
    """The text on one row, with U+FFFD for each character that no markup can hold."""
    return _SPACES.sub(" ", _ILLEGAL.sub(_REPLACEMENT, text)).strip()


def as_cell(text: str) -> str:
    """The text on one row for a cell of a table, which no program may take for a formula.

    What begins with one of `=+-@` has an apostrophe before it, as programs for tables write text;
    but for numbers.
    """
    cell = clean(text)
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def words_of(line: Line) -> tuple[Word, ...]:
    """The line's words, or the line as one where it does not carry them."""
    if line.words:
        return line.words
    return (Word(text=line.text, confidence=line.confidence, polygon=line.polygon, bbox=line.bbox),)


def language_of(languages: tuple[str, ...]) -> str | None:
    """The one language that text can be marked with; None where several were allowed."""
    return languages[0] if len(languages) == 1 else None


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

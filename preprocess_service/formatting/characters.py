"""Text as it may stand in XML, HTML and tables."""

import re

from preprocess_service.document import Line, Word

# What XML 1.0 cannot hold even as a reference, C1 controls, surrogates and noncharacters.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """The text on one row, with U+FFFD for each character that no markup can hold."""
    return _SPACES.sub(" ", _ILLEGAL.sub(_REPLACEMENT, text)).strip()


def words_of(line: Line) -> tuple[Word, ...]:
    """The line's words, or the line as one where it does not carry them."""
    if line.words:
        return line.words
    return (Word(text=line.text, confidence=line.confidence, polygon=line.polygon, bbox=line.bbox),)


def language_of(languages: tuple[str, ...]) -> str | None:
    """The one language that text can be marked with; None where several were allowed."""
    return languages[0] if len(languages) == 1 else None

"""The characters behind a recognizer's classes, and packs cut out of them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass

from export.errors import AlphabetError
from export.spec import AlphabetSpec

BLANK = 0


@dataclass(frozen=True)
class Alphabet:
    """What each class writes.

    Attributes:
        name: `full`, or the pack's name.
        codepoints: Unicode code point of each class; class 0, the blank of CTC, is 0.
        classes: The published model's class behind each class, ascending; 0 stands first.
    """

    name: str
    codepoints: tuple[int, ...]
    classes: tuple[int, ...]

    @property
    def characters(self) -> frozenset[str]:
        """All characters that can be written."""
        return frozenset(map(chr, self.codepoints[1:]))


def read_dictionary(text: str) -> Alphabet:
    """Return the full alphabet of a published dictionary: a character a line.

    The published decoder puts the blank before the first line and the space behind the last.

    Raises:
        AlphabetError: A line holds several code points, which one CODEPOINT per step cannot
            carry, or a character stands twice.
    """
    # Not splitlines(): it would also end a line at characters that an alphabet may hold.
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    wrong = [line for line in lines if len(line) != 1]
    if wrong:
        raise AlphabetError(
            f"{len(wrong)} dictionary lines are not one code point each, for example "
            f"{', '.join(map(repr, wrong[:8]))}: a class of several code points cannot be "
            "written as one CODEPOINT; use a model whose dictionary has none"
        )
    characters = [*lines, " "]
    twice = [character for character, count in Counter(characters).items() if count > 1]
    if twice:
        raise AlphabetError(f"the dictionary holds characters twice: {' '.join(twice[:8])}")
    return Alphabet("full", (BLANK, *map(ord, characters)), tuple(range(len(characters) + 1)))


def cut(alphabet: Alphabet, name: str, pack: AlphabetSpec) -> Alphabet:
    """Return the classes of an alphabet that a pack keeps: blank, space, its characters."""
    kept = [
        (codepoint, published)
        for codepoint, published in zip(alphabet.codepoints, alphabet.classes, strict=True)
        if published == BLANK or _belongs(chr(codepoint), pack)
    ]
    if len(kept) < 2:
        raise AlphabetError(f"alphabets.{name} keeps no character of the dictionary")
    return Alphabet(name, tuple(c for c, _ in kept), tuple(k for _, k in kept))


def check_class_count(alphabet: Alphabet, model: str, classes: int) -> None:
    """Raise AlphabetError where a dictionary and its model do not belong together."""
    if len(alphabet.codepoints) != classes:
        raise AlphabetError(
            f"{model} has {classes} classes, its dictionary makes {len(alphabet.codepoints)} "
            f"(blank, {len(alphabet.codepoints) - 2} lines, space): they do not belong together; "
            "correct `file` or `dictionary` in models.toml"
        )


def _belongs(character: str, pack: AlphabetSpec) -> bool:
    codepoint = ord(character)
    return (
        character == " "
        or character in pack.extra
        or any(first <= codepoint <= last for first, last in pack.ranges)
        or _script(character) in pack.scripts
    )


def _script(letter: str) -> str:
    """Return the first word of a letter's Unicode name; of no letter, as ✝ (LATIN CROSS), none."""
    return unicodedata.name(letter, "").split(" ")[0] if letter.isalpha() else ""

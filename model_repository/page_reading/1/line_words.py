"""The words of a line: text, and where each begins and ends along the line.

A recognizer's time step tells the middle of a character and not its edges: those are where the ink
of the picture ends. Text without spaces (Chinese, Japanese) is one word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt
from ctc_decode import DecodedLine
from word_gaps import Strips, spaced_text

FloatArray = npt.NDArray[np.float32]
EdgeArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """What was read in one crop of a line.

    Attributes:
        line: Characters as they were read.
        spaces: For each of them, whether a space is missing before it.
        strips: What parts them, in pixels of the crop.
        spaced: Whether a blank stands between this piece and the one before it.
        left: Where the crop begins, as a share of the line's length.
        right: Where it ends.
    """

    line: DecodedLine
    spaces: list[bool]
    strips: Strips
    spaced: bool = False
    left: float = 0.0
    right: float = 1.0

    @cached_property
    def text(self) -> str:
        """The characters, with the spaces that were missing."""
        return spaced_text(self.line.characters, self.spaces)


@dataclass(frozen=True)
class _Glyph:
    """A character that leaves ink: where it begins and ends, as shares of the line."""

    start: float
    end: float
    probability: float


def join_pieces(pieces: Sequence[Piece]) -> tuple[str, float]:
    """Return the text of a line, and its confidence: the mean of its characters."""
    text = "".join((" " if piece.spaced and piece.text else "") + piece.text for piece in pieces)
    characters = sum(len(piece.text) for piece in pieces)
    confidence = sum(piece.line.confidence * len(piece.text) for piece in pieces)
    return text.strip(), confidence / max(1, characters)


def word_spans(pieces: Sequence[Piece]) -> FloatArray:
    """Return FP32 [words, 3]: start and end of each word as shares of the line, and confidence.

    The words are those of the text of `join_pieces`, split at white space.
    """
    words: list[list[_Glyph]] = [[]]
    for glyph in chain.from_iterable(map(_glyphs, pieces)):
        if glyph is None:
            words.append([])
        else:
            words[-1].append(glyph)
    rows = [
        (word[0].start, word[-1].end, sum(glyph.probability for glyph in word) / len(word))
        for word in words
        if word
    ]
    return np.array(rows, np.float32).reshape(-1, 3)


def character_spans(pieces: Sequence[Piece]) -> Iterator[tuple[str, float, float]]:
    """The characters that leave ink: each with its start and end as shares of the line."""
    for piece in pieces:
        inked = [character for character in piece.line.characters if not character.isspace()]
        glyphs = (glyph for glyph in _glyphs(piece) if glyph is not None)
        for character, glyph in zip(inked, glyphs, strict=True):
            yield character, glyph.start, glyph.end


def _glyphs(piece: Piece) -> Iterator[_Glyph | None]:
    """The characters of the piece's text; None for each space."""
    characters, scale = piece.line.characters, piece.right - piece.left
    if piece.spaced and characters:
        yield None
    starts, ends = (piece.left + scale * edges for edges in _edges(piece))
    for i, (character, space) in enumerate(zip(characters, piece.spaces, strict=True)):
        if space:
            yield None
        if character.isspace():
            yield None
        else:
            yield _Glyph(float(starts[i]), float(ends[i]), float(piece.line.probabilities[i]))


def _edges(piece: Piece) -> tuple[EdgeArray, EdgeArray]:
    """Where each character begins and ends, as shares of the crop: at the blanks beside it."""
    strips, width = piece.strips, max(1.0, float(piece.strips.width))
    starts, ends = strips.ends[:-1].copy(), strips.starts[1:].copy()
    inked = [i for i, character in enumerate(piece.line.characters) if not character.isspace()]
    count = len(piece.line.characters)
    for before, after in zip([-1, *inked], [*inked, count], strict=True):
        # A space that was read lies anywhere in the blank that it stands for.
        between = slice(before + 1, after + 1)
        widest = before + 1 + int(np.argmax(strips.ends[between] - strips.starts[between]))
        if before >= 0:
            ends[before] = strips.starts[widest]
        if after < count:
            starts[after] = strips.ends[widest]
    return starts / width, np.maximum(starts, ends) / width

"""The text state of a PDF content stream, as far as it decides what text is and how far it runs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

_INVISIBLE = 3
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)")


@dataclass(frozen=True)
class TextState:
    """Operands as they are written in the stream.

    Attributes:
        font: Its name in the resources, with the slash; None before one is chosen.
        size: Of the font.
        character_space: Added to every character.
        word_space: Added to every space.
        scale: Percent of the natural width.
        mode: 3 shows nothing.
    """

    font: bytes | None = None
    size: bytes = b"1"
    character_space: bytes = b"0"
    word_space: bytes = b"0"
    scale: bytes = b"100"
    mode: bytes = b"0"

    @property
    def is_invisible(self) -> bool:
        """Whether text is neither filled nor stroked nor clips what follows."""
        return number(self.mode) == _INVISIBLE

    @property
    def width_unit(self) -> float:
        """Length in text space of one em along a horizontal line; 0 where nothing can be shown."""
        return number(self.size) * number(self.scale) / 100

    def operators(self) -> bytes:
        """Operators that set it, but for the mode; it must have a font."""
        return b"%s Tc %s Tw %s Tz %s %s Tf" % (
            self.character_space, self.word_space, self.scale, self.font, self.size
        )  # fmt: skip


@dataclass
class TextStates:
    """The state at a place in the stream, with those that `q` has put aside."""

    now: TextState = field(default_factory=TextState)
    _saved: list[TextState] = field(default_factory=list)

    def apply(self, operator: bytes, operands: Sequence[bytes]) -> None:
        """What an operator changes; those of another kind, or without operands, change nothing."""
        if operator == b"q":
            self._saved.append(self.now)
        elif operator == b"Q" and self._saved:
            self.now = self._saved.pop()
        elif operator == b"Tf" and len(operands) > 1:
            self.now = replace(self.now, font=operands[-2], size=operands[-1])
        elif operator == b'"' and len(operands) > 1:
            self.now = replace(self.now, word_space=operands[0], character_space=operands[1])
        elif operator in _SETTERS and operands:
            self.now = replace(self.now, **{_SETTERS[operator]: operands[-1]})


_SETTERS = {b"Tc": "character_space", b"Tw": "word_space", b"Tz": "scale", b"Tr": "mode"}


def number(operand: bytes) -> float:
    """The number that an operand is; 0 for what is none, as readers take it."""
    found = _NUMBER.match(operand)
    return float(found.group()) if found else 0.0

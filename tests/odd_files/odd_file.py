"""A document with its right outcome."""

from collections.abc import Callable
from dataclasses import dataclass

READ, REFUSED = 2, 4


@dataclass(frozen=True)
class OddFile:
    """One document.

    Attributes:
        name: The name that it is uploaded under, which may lie.
        make: Draws it; takes milliseconds.
        outcomes: Leading digits of the statuses that are right: `READ`, `REFUSED`.
        pages: How many pages the answer must have, where it is read.
    """

    name: str
    make: Callable[[], bytes]
    outcomes: frozenset[int]
    pages: int = 1

    def __str__(self) -> str:
        return self.name


def is_read(name: str, make: Callable[[], bytes], pages: int = 1) -> OddFile:
    """A document that must be read."""
    return OddFile(name, make, frozenset({READ}), pages)


def is_refused(name: str, make: Callable[[], bytes]) -> OddFile:
    """A document that must be refused, with a reason."""
    return OddFile(name, make, frozenset({REFUSED}))


def is_either(name: str, make: Callable[[], bytes], pages: int = 1) -> OddFile:
    """A document that a version of a library may mend or give up; it harms nothing."""
    return OddFile(name, make, frozenset({READ, REFUSED}), pages)

"""What comes out of one engine's way through the items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from quality.items import Item
from quality.predictions import Line


class EngineUnavailableError(Exception):
    """The engine cannot be measured on this machine; the report gives the reason."""


class EngineFailedError(Exception):
    """The engine could not be started or stopped answering."""


@dataclass
class Reading:
    """The answers of one pass over the items, and how long all of it took.

    `predictions` has lines in the frame of their items, ``None`` for an item that the engine
    declines; an item it failed on is in `errors` instead.
    """

    predictions: dict[str, list[Line] | None] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    pages: int = 0
    seconds: float = 0.0

    @property
    def pages_per_second(self) -> float:
        """Pages read per second of wall clock."""
        return self.pages / self.seconds if self.seconds else 0.0


Advance = Callable[[int], None]
"""Told how many more pages are done."""


class Engine(Protocol):
    """A started engine."""

    version: str
    setup: str
    """How it uses the machine, for the report."""

    def read(self, items: Sequence[Item], advance: Advance) -> Reading:
        """Read all items as fast as this engine can; one pass."""
        ...

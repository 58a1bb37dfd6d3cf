"""The interface of whatever reads a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from preprocess_service.document import Line


@dataclass(frozen=True)
class ReadingOptions:
    """How one page is to be read.

    Attributes:
        release: Of the models that read it: one for all pages of a document.
        languages: Codes as `EngineDescription.languages` has them; empty: any language.
        detect_orientation: None leaves it to the strategy.
        words: Whether lines carry their words.
    """

    release: int
    strategy: str
    languages: tuple[str, ...] = ()
    detect_orientation: bool | None = None
    words: bool = False


@dataclass(frozen=True)
class CallContext:
    """What follows a request through every part that works for it.

    Attributes:
        caller: Who asks, for taking turns.
    """

    request_id: str
    traceparent: str | None = None
    caller: str = ""


@dataclass(frozen=True)
class PageReading:
    """The lines of one page, in reading order.

    Attributes:
        rotation: Degrees clockwise by which the pixels had to be turned to stand upright; the
            lines' coordinates are those of the page so turned.
        release: Of the models that read it.
    """

    lines: tuple[Line, ...]
    rotation: int
    release: int


@dataclass(frozen=True)
class ModelState:
    """One model of the live release; `sha256` of its file, None where it has no weights."""

    name: str
    versions: tuple[str, ...]
    is_ready: bool
    sha256: str | None = None


@dataclass(frozen=True)
class EngineDescription:
    """What a release can do.

    Attributes:
        languages: Strategy → language code → recognizer that writes it.
        models: Names of all models that a strategy uses.
        pages_at_once: More pages than these only wait there.
    """

    release: int
    languages: Mapping[str, Mapping[str, str]]
    models: tuple[str, ...]
    strategies: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    pages_at_once: int = 1


class OcrEngine(Protocol):
    """Reads pages. Every method raises errors of `preprocess_service.errors` only."""

    async def recognize(
        self, pixels: npt.NDArray[np.uint8], options: ReadingOptions, context: CallContext
    ) -> PageReading:
        """The lines of a page, rows x columns x 3 (RGB) or x 1 (gray).

        Raises:
            EngineUnavailableError: It does not answer; trying later may help.
            EngineTimeoutError: The page took too long.
            EngineFailedError: The engine failed on this page.
            EngineContractError: It refused what it was sent.
        """
        ...

    async def describe(
        self, request_id: str | None = None, release: int | None = None
    ) -> EngineDescription:
        """What the release can do that is to read a request's document.

        Args:
            request_id: Falls into the share of a canary or not, always the same way; without
                one it is the live release.
            release: To go on with, if it is still served.

        Raises:
            EngineUnavailableError: Nobody answers.
        """
        ...

    async def model_states(self) -> tuple[ModelState, ...]:
        """Every model of the live release; raises EngineUnavailableError where nobody answers."""
        ...

    async def is_ready(self) -> bool:
        """Whether every model of the live release can be used now."""
        ...

    async def batch_sizes(self) -> Mapping[str, Mapping[int, int]]:
        """Model → batch size → how often it ran, since the engine started.

        Raises:
            EngineUnavailableError: Nobody answers.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...

"""Stand-ins that keep their interface's promises, for tests that need no Triton."""

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from preprocess_service.document import Line
from preprocess_service.inference.engine import (
    CallContext,
    EngineDescription,
    ModelState,
    PageReading,
    ReadingOptions,
)
from preprocess_service.problem import ServiceError

LANGUAGES = {
    strategy: {
        "en": "text_recognition_latin",
        "de": "text_recognition_latin",
        "zh": "text_recognition",
    }
    for strategy in ("speed", "balanced", "accuracy")
}


def make_line(text: str, confidence: float = 0.9, top: float = 0) -> Line:
    right, bottom = 100.0, top + 20
    return Line(
        text=text,
        confidence=confidence,
        polygon=((0, top), (right, top), (right, bottom), (0, bottom)),
        bbox=(0, top, right, bottom),
    )


class FakeEngine:
    """Answers every page with the same lines, and remembers what it was asked.

    `outcomes`: per call, in order, an error to raise or a reading to give; then the default.
    """

    def __init__(
        self,
        lines: Sequence[Line] = (make_line("hello world"),),
        outcomes: Sequence[ServiceError | PageReading] = (),
        away: ServiceError | None = None,
    ) -> None:
        self.gate: asyncio.Event | None = None
        self.in_flight = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self.reset(lines, outcomes, away)

    def reset(
        self,
        lines: Sequence[Line] = (make_line("hello world"),),
        outcomes: Sequence[ServiceError | PageReading] = (),
        away: ServiceError | None = None,
    ) -> None:
        """Be as new; pages that wait at the gate go on. May be called in any thread."""
        if self.gate is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.gate.set)
        self.default = PageReading(tuple(lines), rotation=0, release=1)
        self.outcomes = list(outcomes)
        self.away = away
        self.gate = None
        self.not_ready: tuple[str, ...] = ()
        #: Releases that can be asked for; the first is live.
        self.served: list[int] = [1]
        self.languages = LANGUAGES
        self.pages: list[npt.NDArray[np.uint8]] = []
        self.options: list[ReadingOptions] = []
        self.contexts: list[CallContext] = []
        self.most_in_flight = 0
        self.canceled = 0
        self.closed = False

    async def recognize(
        self, pixels: npt.NDArray[np.uint8], options: ReadingOptions, context: CallContext
    ) -> PageReading:
        self._loop = asyncio.get_running_loop()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            self.pages.append(pixels[:128, :128].copy())
            self.options.append(options)
            self.contexts.append(context)
            outcome = self.outcomes.pop(0) if self.outcomes else self.default
            if self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.canceled += 1
            raise
        finally:
            self.in_flight -= 1
        if isinstance(outcome, ServiceError):
            raise outcome
        return outcome

    async def describe(
        self, request_id: str | None = None, release: int | None = None
    ) -> EngineDescription:
        if self.away is not None:
            raise self.away
        number = release if release in self.served else self.served[0]
        return EngineDescription(number, self.languages, ("page_reading", "text_detection"))

    async def model_states(self) -> tuple[ModelState, ...]:
        models = (await self.describe()).models
        return tuple(ModelState(name, ("1",), name not in self.not_ready) for name in models)

    async def is_ready(self) -> bool:
        return self.away is None and not self.not_ready

    async def batch_sizes(self) -> Mapping[str, Mapping[int, int]]:
        if self.away is not None:
            raise self.away
        return {"text_recognition": {1: 3, 16: 2}}

    async def close(self) -> None:
        self.closed = True

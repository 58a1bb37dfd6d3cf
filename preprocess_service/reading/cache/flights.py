"""Single flight: the first of equal requests starts the work, the others wait for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass
class _Flight(Generic[Result]):
    task: asyncio.Task[Result]
    callers: int = 0


class Flights(Generic[Result]):
    """Work under way, by key."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[Result]] = {}

    def is_under_way(self, key: str) -> bool:
        """Whether `join` would find work that others began."""
        return key in self._flights

    async def join(self, key: str, start: Callable[[], asyncio.Task[Result]]) -> Result:
        """The result of the work under way for that key, begun with `start` if there is none.

        Whoever is canceled leaves alone; the work is canceled when the last one leaves.
        """
        flight = self._flights.get(key) or self._begin(key, start())
        flight.callers += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.callers -= 1
            if not flight.callers:
                self._end(key, flight)
                flight.task.cancel()
                await asyncio.gather(flight.task, return_exceptions=True)

    def _begin(self, key: str, task: asyncio.Task[Result]) -> _Flight[Result]:
        flight = self._flights[key] = _Flight(task)
        task.add_done_callback(lambda _: self._end(key, flight))
        return flight

    def _end(self, key: str, flight: _Flight[Result]) -> None:
        # Another flight may have begun under the same key.
        if self._flights.get(key) is flight:
            del self._flights[key]

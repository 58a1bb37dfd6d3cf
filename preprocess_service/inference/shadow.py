"""Pages read a second time, with a candidate, to compare: nobody waits for it."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from ocr_base.triton import Releases
from preprocess_service import metrics
from preprocess_service.document import Line
from preprocess_service.inference.engine import PageReading
from preprocess_service.problem import ServiceError

#: F1 of words from which two readings are alike.
ALIKE = 0.9

_log = logging.getLogger(__name__)


class Shadow:
    """Reads one page at a time; what comes meanwhile is left out."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def offer(
        self,
        releases: Releases,
        reading: PageReading,
        read: Callable[[int], Awaitable[PageReading]],
    ) -> None:
        """Perhaps read a page of the live release with the candidate too, and count how alike."""
        canary = releases.canary
        if canary is None or reading.release != releases.live:
            return
        if self._task is not None and not self._task.done():
            return
        if random.random() < canary.shadow:  # noqa: S311 - a sample
            self._task = asyncio.create_task(_compare(canary.release, reading, read))

    async def close(self) -> None:
        """Let go of the page that is being read."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def _compare(
    release: int, reading: PageReading, read: Callable[[int], Awaitable[PageReading]]
) -> None:
    try:
        other = await read(release)
        outcome = "alike" if likeness(reading.lines, other.lines) >= ALIKE else "different"
    except ServiceError as exc:
        _log.warning("page failed in the shadow", extra={"release": release, "code": exc.code})
        outcome = "failed"
    metrics.SHADOW_PAGES.labels(str(release), outcome).inc()


def likeness(one: Sequence[Line], other: Sequence[Line]) -> float:
    """F1 of two readings' words, whatever their order; 1 where both are blank."""
    words = [Counter(w for line in lines for w in line.text.split()) for lines in (one, other)]
    total = sum(counted.total() for counted in words)
    return 2 * (words[0] & words[1]).total() / total if total else 1.0

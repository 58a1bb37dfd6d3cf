"""One attempt, seen by a stranger: what is measured while it goes on, and what must hold."""

import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.integration.abuse.memory import Memory, kept
from tests.integration.abuse.victim import Seen, Victim

# Of `/health`, the 95th percentile: the machine of a test has few cores, which the attackers and
# the stranger use too, so that a single answer waits for a core now and then. What the service
# itself holds up shows in many answers, as each counts from when it was due. The worst has a bound
# of its own: nothing may stand still for as long as a probe waits.
HEALTH_SECONDS, WORST_HEALTH_SECONDS = 0.2, 1.0
#: Whether the stranger's time is judged: beside other tests, as in `make test`, nobody has it.
IS_TIMED = bool(os.environ.get("TIMES"))
_MIB = 1 << 20


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    number: str
    sent: str
    health: str
    upload: str
    memory: str


class Siege:
    """Measures attempts one after the other."""

    def __init__(self, victim: Victim, memory: Memory, rows: list[Row]) -> None:
        self._victim, self._memory, self._rows = victim, memory, rows
        self._look(uploads=6)  # the first ones of a process take longer
        self._quiet = statistics.median(self._look(uploads=6).uploads)

    def _look(self, uploads: int) -> Seen:
        self._victim.begin()
        return self._victim.end(uploads)

    @contextmanager
    def attempt(self, number: str, sent: str) -> Iterator[None]:
        """Measure while the block runs; fails the test where a stranger notices too much of it."""
        before = self._memory.held()
        with self._memory.watched():
            self._victim.begin()
            try:
                yield
            finally:
                seen = self._victim.end()
        peak, after = self._memory.peak, self._memory.after(before)
        longest = max(seen.uploads, default=float("inf"))
        totals = (sum(before.values()), peak, sum(after.values()))
        self._rows.append(
            Row(
                number,
                sent,
                f"{seen.health_95:.3f} / {max(seen.health):.3f}",
                f"{self._quiet:.2f} / {longest:.2f} ({len(seen.uploads)})",
                " / ".join(f"{total // _MIB:,}" for total in totals),
            )
        )
        noticed = seen.failures + kept(before, after)
        if IS_TIMED:
            noticed += self._waits(seen, longest)
        assert not noticed, f"{noticed}: {self._rows[-1]}"

    def _waits(self, seen: Seen, longest: float) -> list[str]:
        waits = []
        if seen.health_95 >= HEALTH_SECONDS or max(seen.health) >= WORST_HEALTH_SECONDS:
            waits.append("/health was slow")
        if longest > 2 * self._quiet + 1:
            waits.append("a page was slow")
        return waits

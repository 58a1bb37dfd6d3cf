"""The last quarter of an hour, for rates and percentiles."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from preprocess_service.monitoring.totals import Buckets, Totals

WINDOW_SECONDS = 900.0


@dataclass(frozen=True)
class Moment:
    """What had been done at one time."""

    time: float
    pages: float
    stages: Mapping[str, Buckets]

    @classmethod
    def of(cls, totals: Totals) -> "Moment":
        """What `totals` say now."""
        return cls(
            time=time.monotonic(),
            pages=totals.sum("ocr_pages_total", outcome="succeeded"),
            stages=totals.buckets("ocr_stage_seconds", "stage"),
        )


class History:
    """Moments of the last `WINDOW_SECONDS`, the oldest first."""

    def __init__(self, begin: Moment) -> None:
        self._moments = deque([begin])

    def add(self, moment: Moment) -> None:
        """Keep a moment that is later than all others, and forget what is too old to be asked."""
        self._moments.append(moment)
        while self._moments[1].time <= moment.time - WINDOW_SECONDS:
            self._moments.popleft()

    def before(self, moment: Moment, seconds: float) -> Moment:
        """What was known that long before `moment`; the oldest where nothing is that old."""
        old = [past for past in self._moments if past.time <= moment.time - seconds]
        return old[-1] if old else self._moments[0]

    def pages_per_second(self, now: Moment, seconds: float) -> float:
        """The rate over that time, or since the start where that is shorter."""
        past = self.before(now, seconds)
        elapsed = now.time - past.time
        return (now.pages - past.pages) / elapsed if elapsed > 0 else 0.0

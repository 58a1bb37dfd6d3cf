"""Counters read back: sums and percentiles, and their history of a quarter of an hour."""

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

#: Upper bound in seconds → how many observations lie at or under it.
Buckets = Mapping[float, float]
WINDOW_SECONDS = 900.0


class Totals:
    """What the metrics of a registry say at one moment."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._samples: dict[str, list[Sample]] = {}
        for family in registry.collect():
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append(sample)

    def sum(self, name: str, **labels: str) -> float:
        """The sum of a metric over all samples that have these labels; 0 where there are none."""
        return sum(
            s.value for s in self._samples.get(name, ()) if labels.items() <= s.labels.items()
        )

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sums of a metric by one of its labels."""
        sums: Counter[str] = Counter()
        for sample in self._samples.get(name, ()):
            sums[sample.labels[label]] += sample.value  # type: ignore[assignment]
        return dict(sums)

    def buckets(self, name: str, label: str) -> dict[str, Buckets]:
        """The buckets of a histogram by one of its labels."""
        found: dict[str, dict[float, float]] = {}
        for sample in self._samples.get(f"{name}_bucket", ()):
            bound = float(sample.labels["le"])
            found.setdefault(sample.labels[label], {})[bound] = sample.value
        return dict(found)


def subtract(now: Buckets, before: Buckets) -> Buckets:
    """What was observed in between."""
    return {bound: count - before.get(bound, 0) for bound, count in now.items()}


def quantile(buckets: Buckets, share: float) -> float | None:
    """The value under which that share of the observations lies; None without observations.

    Within a bucket they are taken as evenly spread; above the last bound, that bound is given.
    """
    rank = share * buckets.get(inf, 0)
    if rank == 0:
        return None
    edges = [(0.0, 0.0), *sorted(buckets.items())]
    for (low, before), (high, count) in pairwise(edges):
        if count >= rank:
            return low if high == inf else low + (high - low) * (rank - before) / (count - before)
    return None


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

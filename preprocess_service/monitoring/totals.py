"""Counters read back, as sums and as percentiles."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from math import inf

from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

#: Upper bound in seconds → how many observations lie at or under it.
Buckets = Mapping[float, float]


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

from math import inf

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from preprocess_service.monitoring.totals import History, Moment, Totals, quantile, subtract


def test_sums_are_over_all_samples_with_the_labels():
    registry = CollectorRegistry()
    pages = Counter("pages", "", ["strategy", "outcome"], registry=registry)
    pages.labels("speed", "succeeded").inc(3)
    pages.labels("balanced", "succeeded").inc(4)
    pages.labels("balanced", "failed").inc()
    totals = Totals(registry)
    assert totals.sum("pages_total", outcome="succeeded") == 7
    assert totals.sum("pages_total") == 8
    assert totals.by("pages_total", "strategy") == {"speed": 3, "balanced": 5}
    assert totals.sum("nothing") == 0


def test_percentiles_are_read_off_the_buckets():
    registry = CollectorRegistry()
    seconds = Histogram("s", "", ["stage"], buckets=(1, 2, 4), registry=registry)
    for value in (0.5, 1.5, 1.5, 3):
        seconds.labels("total").observe(value)
    buckets = Totals(registry).buckets("s", "stage")["total"]
    assert buckets == {1: 1, 2: 3, 4: 4, inf: 4}
    assert quantile(buckets, 0.5) == 1.5
    assert quantile(buckets, 0.75) == 2
    assert quantile(buckets, 1) == 4
    seconds.labels("total").observe(100)
    assert quantile(Totals(registry).buckets("s", "stage")["total"], 0.99) == 4


@pytest.mark.parametrize("buckets", [{}, {1.0: 0.0, inf: 0.0}])
def test_nothing_observed_has_no_percentiles(buckets):
    assert quantile(buckets, 0.5) is None


def test_only_what_was_observed_in_between_counts():
    now, past = {1.0: 5.0, inf: 9.0}, {1.0: 5.0, inf: 5.0}
    assert subtract(now, past) == {1.0: 0, inf: 4}
    assert subtract(now, {}) == now


def test_rates_are_over_their_window_or_since_the_start():
    history = History(Moment(0, 0, {}))
    history.add(Moment(50, 100, {}))
    history.add(Moment(100, 100, {}))
    now = Moment(120, 160, {})
    assert history.pages_per_second(now, 60) == pytest.approx((160 - 100) / (120 - 50))
    assert history.pages_per_second(now, 300) == pytest.approx(160 / 120)
    assert History(now).pages_per_second(now, 60) == 0


def test_moments_too_old_to_be_asked_are_forgotten():
    history = History(Moment(0, 0, {}))
    for time in range(10, 2000, 10):
        history.add(Moment(time, time, {}))
    assert history.before(Moment(1990, 0, {}), 900).time == 1090
    assert len(history._moments) == 91

"""`/stats`: the figures that answer most questions without a Prometheus server."""

import math
import time
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from preprocess_service.monitoring.totals import (
    WINDOW_SECONDS,
    History,
    Moment,
    Totals,
    quantile,
    subtract,
)

_RATE_WINDOWS = {"1m": 60.0, "5m": 300.0, "15m": 900.0}
_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class RequestStats(_Frozen):
    """HTTP requests since the start."""

    total: int
    by_status: dict[str, int] = Field(examples=[{"200": 118, "422": 2}])


class ErrorStats(_Frozen):
    """Problems that were answered since the start."""

    total: int
    by_code: dict[str, int] = Field(examples=[{"invalid_document": 2}])


class DocumentStats(_Frozen):
    """Documents that were read since the start; answers from the cache are none."""

    total: int
    by_outcome: dict[str, int] = Field(examples=[{"succeeded": 97, "partial": 1}])


class PageStats(_Frozen):
    """Pages that were read since the start."""

    total: int
    failed: int
    per_second: dict[str, float] = Field(
        description="Over the last 1, 5 and 15 minutes, or since the start where that is shorter.",
        examples=[{"1m": 4.2, "5m": 3.9, "15m": 3.9}],
    )


class QueueStats(_Frozen):
    """Work that has begun or waits."""

    documents_in_work: int
    pages_in_flight: int
    pages_allowed: int = Field(description="Fewer than MAX_BATCH_SIZE while memory is short.")
    jobs: dict[str, int] | None = Field(
        description="By status; null without jobs (REDIS_URL), or while their store is away.",
        examples=[{"queued": 3, "running": 1}],
    )


class CacheStats(_Frozen):
    """Documents answered from the cache since the start."""

    hits: int = Field(description="Equal requests answered together included.")
    misses: int
    hit_rate: float | None = Field(description="0 to 1; null before the first look-up.")


class StageStats(_Frozen):
    """One stage over the last 15 minutes; percentiles are read off histograms."""

    count: int
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class Stats(_Frozen):
    """What this service has done, all its processes together."""

    uptime_seconds: float
    requests: RequestStats
    errors: ErrorStats
    documents: DocumentStats
    pages: PageStats
    queue: QueueStats
    cache: CacheStats
    latency_ms: dict[str, StageStats] = Field(description="Stage → milliseconds.")


def make_stats(totals: Totals, history: History) -> Stats:
    """The figures of this moment."""
    now = Moment.of(totals)
    statuses = _whole(totals.by("ocr_requests_total", "status"))
    codes = _whole(totals.by("ocr_rejections_total", "code"))
    outcomes = _whole(totals.by("ocr_documents_total", "outcome"))
    return Stats(
        uptime_seconds=round(time.time() - totals.sum("ocr_start_time_seconds"), 1),
        requests=RequestStats(total=sum(statuses.values()), by_status=statuses),
        errors=ErrorStats(total=sum(codes.values()), by_code=codes),
        documents=DocumentStats(total=sum(outcomes.values()), by_outcome=outcomes),
        pages=PageStats(
            total=int(now.pages),
            failed=int(totals.sum("ocr_pages_total", outcome="failed")),
            per_second={
                name: round(history.pages_per_second(now, seconds), 3)
                for name, seconds in _RATE_WINDOWS.items()
            },
        ),
        queue=_queue_stats(totals),
        cache=_cache_stats(totals),
        latency_ms=_latencies(now, history.before(now, WINDOW_SECONDS)),
    )


def _queue_stats(totals: Totals) -> QueueStats:
    jobs = totals.by("ocr_jobs_by_status", "status")
    is_known = bool(jobs) and not any(math.isnan(count) for count in jobs.values())
    return QueueStats(
        documents_in_work=int(totals.sum("ocr_documents_in_work")),
        pages_in_flight=int(totals.sum("ocr_pages_in_flight")),
        pages_allowed=int(totals.sum("ocr_pages_allowed")),
        jobs=_whole(jobs) if is_known else None,
    )


def _cache_stats(totals: Totals) -> CacheStats:
    answers = totals.by("ocr_cache_answers_total", "outcome")
    hits, misses = answers.get("hit", 0) + answers.get("shared", 0), answers.get("miss", 0)
    rate = round(hits / (hits + misses), 4) if hits + misses else None
    return CacheStats(hits=int(hits), misses=int(misses), hit_rate=rate)


def _latencies(now: Moment, past: Moment) -> dict[str, StageStats]:
    recent = {
        stage: subtract(buckets, past.stages.get(stage, {}))
        for stage, buckets in now.stages.items()
    }
    return {
        stage: StageStats(
            count=int(buckets[math.inf]),
            **{name: _ms(quantile(buckets, share)) for name, share in _PERCENTILES.items()},
        )
        for stage, buckets in recent.items()
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _whole(counts: Mapping[str, float]) -> dict[str, int]:
    return {name: int(count) for name, count in sorted(counts.items())}

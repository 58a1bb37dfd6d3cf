"""Every Prometheus metric of the service; `docs/monitoring.md` lists them.

With several processes (`WORKERS`) prometheus_client keeps the values in files that all of them
share; `multiprocess_mode` says how the gauges of living processes become one.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import Counter, Gauge, Histogram, Metric
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from ocr_base.version import API

_SECONDS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
)  # fmt: skip

BUILD_INFO = Gauge(
    "ocr_build_info", "1; its labels say what runs.", ["version"], multiprocess_mode="livemax"
)
START_TIME = Gauge(
    "ocr_start_time_seconds",
    "Unix time at which the oldest living process started.",
    multiprocess_mode="livemin",
)
# At once, lest another process finds a zero in the shared file.
START_TIME.set_to_current_time()

REQUESTS = Counter(
    "ocr_requests_total",
    f"HTTP requests by path without {API}, and status; 499: the client left before the answer.",
    ["endpoint", "method", "status"],
)
REQUEST_SECONDS = Histogram(
    "ocr_request_seconds",
    "HTTP requests, from their headers to the end of the answer.",
    ["endpoint", "method"],
    buckets=_SECONDS,
)
REJECTIONS = Counter(
    "ocr_rejections_total", "Requests answered with a problem, by its code.", ["code"]
)

DOCUMENTS = Counter(
    "ocr_documents_total",
    "Documents that were read: succeeded, partial, failed or canceled (the caller left).",
    ["strategy", "outcome"],
)
DOCUMENTS_IN_WORK = Gauge(
    "ocr_documents_in_work", "Documents whose pages are being read.", multiprocess_mode="livesum"
)
PAGES = Counter(
    "ocr_pages_total",
    "Pages that were read (succeeded) or carry a problem (failed), by where their text is from.",
    ["strategy", "source", "outcome"],
)
PAGES_IN_FLIGHT = Gauge(
    "ocr_pages_in_flight", "Pages between drawing and reading.", multiprocess_mode="livesum"
)
PAGE_BYTES_IN_FLIGHT = Gauge(
    "ocr_page_bytes_in_flight", "Pixels of these pages, in bytes.", multiprocess_mode="livesum"
)
PAGES_ALLOWED = Gauge(
    "ocr_pages_allowed",
    "Pages that may be in flight: MAX_BATCH_SIZE, fewer while memory is short.",
    multiprocess_mode="livesum",
)
LINES_PER_PAGE = Histogram(
    "ocr_lines_per_page",
    "Lines on each page that was read.",
    buckets=(0, 1, 5, 10, 20, 40, 60, 80, 100, 150, 200, 400, 1000),
)
RELEASE_PAGES = Counter(
    "ocr_release_pages_total", "Pages read by the models of each release.", ["release"]
)
SHADOW_PAGES = Counter(
    "ocr_shadow_pages_total",
    "Pages read with a candidate too: alike, different (F1 of words below 0.9), or failed.",
    ["release", "outcome"],
)
STAGE_SECONDS = Histogram(
    "ocr_stage_seconds",
    "Stages: rasterize, enhance and inference per page; upload, format and total per document.",
    ["stage"],
    buckets=_SECONDS,
)

CACHE_REQUESTS = Counter(
    "ocr_cache_requests_total",
    "Look-ups in the cache by tier: hit, miss, corrupt, error, or skipped after an error.",
    ["tier", "outcome"],
)
CACHE_ANSWERS = Counter(
    "ocr_cache_answers_total",
    "Documents by how they were answered: hit, shared with an equal request under way, or miss.",
    ["outcome"],
)
CACHE_TIER_UP = Gauge(
    "ocr_cache_tier_up",
    "1 while a tier of the cache can be read and written.",
    ["tier"],
    multiprocess_mode="livemin",
)

JOBS_ENDED = Counter("ocr_jobs_total", "Jobs that ended: succeeded, failed, canceled.", ["outcome"])
JOBS = Gauge(
    "ocr_jobs_by_status",
    "Jobs in the store by status; NaN while it does not answer.",
    ["status"],
    multiprocess_mode="livemostrecent",
)
JOB_SECONDS = Histogram(
    "ocr_job_seconds",
    "Jobs, from submission to their end.",
    buckets=(1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400),
)
WEBHOOKS = Counter(
    "ocr_webhooks_total",
    "Attempts to tell a caller that a job ended: delivered, retried or given_up.",
    ["outcome"],
)

GPU_AVAILABLE = Gauge(
    "ocr_gpu_available", "1 while NVML answers for a GPU.", multiprocess_mode="livemostrecent"
)
GPU_MEMORY_BYTES = Gauge(
    "ocr_gpu_memory_bytes",
    "Memory of a GPU by state: total, used, free; NaN where it cannot be read.",
    ["gpu", "state"],
    multiprocess_mode="livemostrecent",
)
GPU_UTILIZATION = Gauge(
    "ocr_gpu_utilization_ratio",
    "Share (0 to 1) of time in which a GPU computed; NaN where it cannot be read.",
    ["gpu"],
    multiprocess_mode="livemostrecent",
)
GPU_TEMPERATURE = Gauge(
    "ocr_gpu_temperature_celsius",
    "Temperature of a GPU; NaN where it cannot be read.",
    ["gpu"],
    multiprocess_mode="livemostrecent",
)
GPU_POWER = Gauge(
    "ocr_gpu_power_watts",
    "Power that a GPU draws; NaN where it cannot be read.",
    ["gpu"],
    multiprocess_mode="livemostrecent",
)
MEMORY_FREE = Gauge(
    "ocr_memory_free_bytes",
    "Memory that batch sizes follow: of the fullest GPU, without one that of the machine.",
    multiprocess_mode="livemostrecent",
)


class TritonBatchSizes(Collector):
    """Triton's own count of its batches as a histogram; it counts for all who use that Triton."""

    _BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

    def __init__(self) -> None:
        #: Model → batch size → how often.
        self.counts: Mapping[str, Mapping[int, int]] = {}

    def collect(self) -> Iterable[Metric]:
        """The one metric, with what `counts` holds."""
        family = HistogramMetricFamily(
            "ocr_triton_batch_size", "Sizes of the batches that Triton ran.", labels=["model"]
        )
        for model, counts in self.counts.items():
            buckets = [
                (f"{bound:.1f}", float(sum(n for size, n in counts.items() if size <= bound)))
                for bound in self._BOUNDS
            ]
            buckets.append(("+Inf", float(sum(counts.values()))))
            rows = sum(size * n for size, n in counts.items())
            family.add_metric([model], buckets, rows)
        return [family]

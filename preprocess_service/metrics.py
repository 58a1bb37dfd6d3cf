"""Every Prometheus metric of the service; `docs/monitoring.md` lists them."""

from prometheus_client import Counter, Gauge

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
    "ocr_cache_tier_up", "1 while a tier of the cache can be read and written.", ["tier"]
)

"""The cache that the settings ask for."""

from preprocess_service.caching.disk import DiskTier
from preprocess_service.caching.guarded import GuardedTier
from preprocess_service.caching.memory import MemoryTier
from preprocess_service.caching.redis_tier import RedisTier
from preprocess_service.caching.tier import Tier
from preprocess_service.caching.tiers import TieredCache
from preprocess_service.settings import Settings

#: Of DATA_DIR.
_FOLDER = "cache"


def make_cache(settings: Settings) -> TieredCache | None:
    """The cache, not connected yet; None where nothing may be kept."""
    tiers: list[Tier] = []
    if settings.cache_memory_mb:
        tiers.append(MemoryTier(settings.cache_memory_mb << 20))
    if settings.cache_redis_mb and settings.redis_url:
        url = settings.redis_url.get_secret_value()
        tiers.append(RedisTier(url, settings.cache_redis_mb << 20))
    if settings.cache_disk_mb:
        tiers.append(DiskTier(settings.data_dir / _FOLDER, settings.cache_disk_mb << 20))
    if not settings.cache_ttl or not tiers:
        return None
    return TieredCache([GuardedTier(tier) for tier in tiers], settings.cache_ttl)


def answer_variant(settings: Settings) -> str:
    """Names the settings that change answers, for servers that share a tier."""
    return f"{settings.default_dpi} dpi, {settings.max_pixels} pixels, {settings.pdf_max_pages}"

"""The tiers as one cache, fastest first."""

import asyncio
import time
from collections.abc import Sequence

from preprocess_service.document import Document
from preprocess_service.reading.cache.disk import DiskTier
from preprocess_service.reading.cache.entry import pack_entry
from preprocess_service.reading.cache.memory import MemoryTier
from preprocess_service.reading.cache.redis_tier import RedisTier
from preprocess_service.reading.cache.safe_tier import SafeTier, Tier
from preprocess_service.settings import Settings

#: Of DATA_DIR.
_FOLDER = "cache"


class TieredCache:
    """Documents by key, none of them older than `ttl_seconds`."""

    def __init__(self, tiers: Sequence[SafeTier], ttl_seconds: float) -> None:
        self.tiers = tuple(tiers)
        self._ttl_seconds = ttl_seconds

    async def find(self, key: str) -> Document | None:
        """The document from the first tier that has it; the tiers before that get it too."""
        for position, tier in enumerate(self.tiers):
            if entry := await tier.find(key):
                await asyncio.gather(*(upper.keep(key, entry) for upper in self.tiers[:position]))
                return entry.document
        return None

    async def keep(self, key: str, document: Document) -> None:
        """Put the document into every tier that works."""
        expires_at = time.time() + self._ttl_seconds
        entry = await asyncio.to_thread(pack_entry, document, expires_at)
        await asyncio.gather(*(tier.keep(key, entry) for tier in self.tiers))

    async def close(self) -> None:
        """Let go of connections and threads."""
        for tier in self.tiers:
            await tier.close()


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
    return TieredCache([SafeTier(tier) for tier in tiers], settings.cache_ttl)

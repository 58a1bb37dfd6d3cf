"""The tiers as one cache, fastest first."""

import asyncio
import time
from collections.abc import Sequence

from preprocess_service.caching.entry import pack_entry
from preprocess_service.caching.guarded import GuardedTier
from preprocess_service.document import Document


class TieredCache:
    """Documents by key, none of them older than `ttl_seconds`."""

    def __init__(self, tiers: Sequence[GuardedTier], ttl_seconds: float) -> None:
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

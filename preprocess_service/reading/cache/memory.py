"""The first tier: this process's memory."""

import time

from cachetools import TLRUCache

_Kept = tuple[bytes, float]


class MemoryTier:
    """Keeps at most `max_bytes`; what was asked for least recently goes first."""

    name = "memory"

    def __init__(self, max_bytes: int) -> None:
        self._kept: TLRUCache[str, _Kept] = TLRUCache(
            max_bytes,
            ttu=lambda key, kept, now: kept[1],
            timer=time.time,
            getsizeof=lambda kept: len(kept[0]),
        )

    @property
    def size_bytes(self) -> int:
        """Bytes kept now."""
        return int(self._kept.currsize)

    async def get(self, key: str) -> bytes | None:
        """See `Tier.get`."""
        kept = self._kept.get(key)
        return kept[0] if kept else None

    async def set(self, key: str, data: bytes, expires_at: float) -> None:
        """See `Tier.set`."""
        if len(data) <= self._kept.maxsize:
            self._kept[key] = (data, expires_at)

    async def delete(self, key: str) -> None:
        """See `Tier.delete`."""
        self._kept.pop(key, None)

    async def close(self) -> None:
        """See `Tier.close`."""
        self._kept.clear()

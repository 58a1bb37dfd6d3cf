"""The interface of a place that keeps entries."""

from typing import Protocol


class TierError(Exception):
    """The tier cannot be used now; `str()` is for the log."""


class Tier(Protocol):
    """Keeps bytes under keys of hexadecimal digits. Every method raises TierError or OSError only.

    A tier may forget anything at any time; what it gives may be damaged or out of date.
    """

    @property
    def name(self) -> str:
        """What logs and metrics call it."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The bytes under that key, if it has any."""
        ...

    async def set(self, key: str, data: bytes, expires_at: float) -> None:
        """Keep the bytes until that Unix time, or for as long as there is room."""
        ...

    async def delete(self, key: str) -> None:
        """Forget that key."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...

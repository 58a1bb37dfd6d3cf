"""A tier whose failures are logged, and which is skipped for a while after one."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from preprocess_service import metrics
from preprocess_service.breaker import Breaker
from preprocess_service.reading.cache.entry import CorruptEntryError, Entry, unpack_entry

# Far above what a tier in good health takes on a busy machine, far below what reading takes.
_TIMEOUT_SECONDS = 1.0

_log = logging.getLogger(__name__)
Result = TypeVar("Result")
Operation = Literal["read", "write"]


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


@dataclass(frozen=True)
class _Outcome(Generic[Result]):
    """What a tier answered; `failure` says why it did not."""

    result: Result | None = None
    failure: Literal["error", "skipped"] | None = None


class SafeTier:
    """Entries of a tier, within a time limit and behind a breaker each for reads and writes."""

    def __init__(self, tier: Tier, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._tier = tier
        self._timeout_seconds = timeout_seconds
        self._breakers: dict[Operation, Breaker] = {"read": Breaker(), "write": Breaker()}
        metrics.CACHE_TIER_UP.labels(tier.name).set(1)

    @property
    def name(self) -> str:
        """What logs and metrics call it."""
        return self._tier.name

    @property
    def is_up(self) -> bool:
        """Whether neither reads nor writes are failing."""
        return not any(breaker.is_open for breaker in self._breakers.values())

    async def find(self, key: str) -> Entry | None:
        """The entry, if the tier has it, it has not ended, and the tier can be read."""
        read = await self._attempt("read", lambda: self._tier.get(key))
        if read.result is None:
            self._count(read.failure or "miss")
            return None
        return await self._unpack(key, read.result)

    async def keep(self, key: str, entry: Entry) -> None:
        """Keep the entry, if the tier can be written."""
        await self._attempt("write", lambda: self._tier.set(key, entry.data, entry.expires_at))

    async def close(self) -> None:
        """Let go of connections and threads, of a tier that fails too."""
        try:
            await asyncio.wait_for(self._tier.close(), self._timeout_seconds)
        except (TierError, OSError, asyncio.TimeoutError) as exc:
            _log.debug("cache tier not closed", extra={"tier": self.name, "cause": str(exc)})

    async def _unpack(self, key: str, data: bytes) -> Entry | None:
        try:
            entry = await asyncio.to_thread(unpack_entry, data)
        except CorruptEntryError as exc:
            _log.warning("cache entry damaged", extra={"tier": self.name, "cause": str(exc)})
            self._count("corrupt")
        else:
            if entry.expires_at > time.time():
                self._count("hit")
                return entry
            self._count("miss")
        await self._attempt("write", lambda: self._tier.delete(key))
        return None

    def _count(self, outcome: str) -> None:
        metrics.CACHE_REQUESTS.labels(self.name, outcome).inc()

    async def _attempt(
        self, operation: Operation, call: Callable[[], Awaitable[Result]]
    ) -> _Outcome[Result]:
        breaker = self._breakers[operation]
        if not breaker.lets_through():
            return _Outcome(failure="skipped")
        try:
            result = await asyncio.wait_for(call(), self._timeout_seconds)
        except (TierError, OSError, asyncio.TimeoutError) as exc:
            if breaker.report_failure():
                self._report("cache tier fails", operation, f"{type(exc).__name__}: {exc}")
            return _Outcome(failure="error")
        if breaker.report_success():
            self._report("cache tier works again", operation)
        return _Outcome(result)

    def _report(self, message: str, operation: Operation, cause: str = "") -> None:
        """Log and count an outage once when it begins and once when it ends."""
        metrics.CACHE_TIER_UP.labels(self.name).set(self.is_up)
        _log.warning(message, extra={"tier": self.name, "operation": operation, "cause": cause})

"""Requests, and wrong API keys, counted in a moving minute over all processes of a Redis."""

import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerMinute, WindowStats
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from preprocess_service.api.requests import caller_of
from preprocess_service.breaker import Breaker
from preprocess_service.errors import RateLimitedError
from preprocess_service.redis_pool import open_pool

Answer = TypeVar("Answer")
_Ask = Callable[[MovingWindowRateLimiter, RateLimitItem, str], Awaitable[Answer]]

_ANSWER_SECONDS, _TURN_SECONDS = 0.5, 5.0
_PREFIX = "ocr:rate"
# Far more than callers of one process; the oldest are forgotten first.
_MOST_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


class RateLimiter:
    """Counts in Redis, and in this process alone while there is none or it does not answer."""

    def __init__(self, redis_url: str | None) -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._breaker = Breaker()
        self._pool: ConnectionPool | None = None
        self._shared: MovingWindowRateLimiter | None = None
        if redis_url is not None:
            self._pool = open_pool(
                redis_url,
                _TURN_SECONDS,
                socket_timeout=_ANSWER_SECONDS,
                socket_connect_timeout=_ANSWER_SECONDS,
            )
            storage = RedisStorage(
                redis_url,
                implementation="redispy",
                key_prefix=_PREFIX,
                connection_pool=self._pool,  # type: ignore[arg-type]
            )
            self._shared = MovingWindowRateLimiter(storage)

    async def hit(self, rate: RateLimitItem, caller: str) -> tuple[bool, WindowStats]:
        """Whether this request is within the rate, which then counts it, and how the window is."""
        return await self._ask(_hit, rate, caller)

    async def look(self, rate: RateLimitItem, caller: str) -> WindowStats:
        """How the window is."""
        return await self._ask(_look, rate, caller)

    async def _ask(self, ask: _Ask[Answer], rate: RateLimitItem, caller: str) -> Answer:
        if self._shared and self._breaker.lets_through():
            try:
                found = await ask(self._shared, rate, caller)
            except RedisError as exc:
                if self._breaker.report_failure():
                    _log.warning("rates are counted per process", extra={"cause": repr(exc)})
            else:
                if self._breaker.report_success():
                    _log.info("rates are counted together again")
                return found
        return await ask(self._own, rate, caller)

    async def close(self) -> None:
        """Leave the Redis."""
        if self._pool is not None:
            await self._pool.aclose()


def limit_rate(limiter: RateLimiter, per_minute: int) -> Callable[..., Awaitable[None]]:
    """A dependency that lets through so many requests a minute of one key, or one address."""
    rate = RateLimitItemPerMinute(per_minute)

    async def check(request: Request) -> None:
        is_within, window = await limiter.hit(rate, caller_of(request))
        seconds = _seconds_left(window)
        request.state.answer_headers = {
            "RateLimit-Limit": str(per_minute),
            "RateLimit-Remaining": str(max(0, window.remaining)),
            "RateLimit-Reset": str(seconds),
        }
        if not is_within:
            raise RateLimitedError(
                f"More than {per_minute} requests in a minute (RATE_LIMIT_PER_MINUTE).", seconds
            )

    return check


class WrongKeys:
    """Counts the wrong keys that come from each address.

    A key that was right from an address before is let through from there all the same: others may
    share the address.
    """

    def __init__(self, limiter: RateLimiter, per_minute: int) -> None:
        self._limiter = limiter
        self._rate = RateLimitItemPerMinute(per_minute)
        self._right: dict[tuple[str, str], None] = {}

    async def require_few(self, address: str, digest: str) -> None:
        """Refuse to look at the key.

        Raises:
            RateLimitedError: As many wrong ones as allowed came from the address.
        """
        if (address, digest) not in self._right:
            window = await self._limiter.look(self._rate, _name(address))
            if window.remaining <= 0:
                raise self._too_many(window)

    async def count(self, address: str) -> None:
        """Count a wrong one.

        Raises:
            RateLimitedError: As `require_few`: others came together with it.
        """
        is_within, window = await self._limiter.hit(self._rate, _name(address))
        if not is_within:
            raise self._too_many(window)

    def remember(self, address: str, digest: str) -> None:
        """The key was right."""
        self._right.pop((address, digest), None)
        self._right[address, digest] = None
        if len(self._right) > _MOST_REMEMBERED:
            del self._right[next(iter(self._right))]

    def _too_many(self, window: WindowStats) -> RateLimitedError:
        return RateLimitedError(
            f"More than {self._rate.amount} wrong API keys came from this address in a minute "
            "(WRONG_KEYS_PER_MINUTE).",
            _seconds_left(window),
        )


def _name(address: str) -> str:
    return f"wrong-key:{address}"


def _seconds_left(window: WindowStats) -> int:
    return max(1, math.ceil(window.reset_time - time.time()))


async def _look(limiter: MovingWindowRateLimiter, rate: RateLimitItem, caller: str) -> WindowStats:
    return await limiter.get_window_stats(rate, caller)


async def _hit(
    limiter: MovingWindowRateLimiter, rate: RateLimitItem, caller: str
) -> tuple[bool, WindowStats]:
    return await limiter.hit(rate, caller), await limiter.get_window_stats(rate, caller)

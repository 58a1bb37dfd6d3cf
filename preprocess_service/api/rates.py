"""Counting requests in a moving window, over all processes that share a Redis or Valkey."""

import logging

from limits import RateLimitItem, WindowStats
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from preprocess_service.caching.breaker import Breaker

_ANSWER_SECONDS = 0.5
_PREFIX = "ocr:rate"

_log = logging.getLogger(__name__)


class RateLimiter:
    """Counts in Redis, and in this process alone while there is none or it does not answer."""

    def __init__(self, redis_url: str | None) -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._breaker = Breaker()
        self._pool: ConnectionPool | None = None
        self._shared: MovingWindowRateLimiter | None = None
        if redis_url is not None:
            self._pool = ConnectionPool.from_url(
                redis_url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS
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
        if self._shared and self._breaker.lets_through():
            try:
                found = await _hit(self._shared, rate, caller)
            except RedisError as exc:
                if self._breaker.report_failure():
                    _log.warning("rates are counted per process", extra={"cause": repr(exc)})
            else:
                if self._breaker.report_success():
                    _log.info("rates are counted together again")
                return found
        return await _hit(self._own, rate, caller)

    async def close(self) -> None:
        """Leave the Redis."""
        if self._pool is not None:
            await self._pool.aclose()


async def _hit(
    limiter: MovingWindowRateLimiter, rate: RateLimitItem, caller: str
) -> tuple[bool, WindowStats]:
    return await limiter.hit(rate, caller), await limiter.get_window_stats(rate, caller)

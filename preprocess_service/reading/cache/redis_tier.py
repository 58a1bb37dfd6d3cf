"""The second tier: a Redis or Valkey server that several processes and hosts share."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from preprocess_service.reading.cache.safe_tier import TierError
from preprocess_service.redis_pool import open_pool

_TURN_SECONDS = 5.0
# The braces keep all names on one node of a cluster, as the script needs it.
_PREFIX = "{ocr:cache:1}:"
_EXPIRIES = _PREFIX + "expiries"
_SIZES = _PREFIX + "sizes"

# A server shared with jobs must not fill up with answers, and its own limit would take jobs too.
# So the entries' sizes are counted here, and those that end soonest make room.
_STORE = """
local entry, expiries, sizes = KEYS[1], KEYS[2], KEYS[3]
local data, expires_ms, bound = ARGV[1], ARGV[2], tonumber(ARGV[3])
local function forget(name)
    local size = redis.call('HGET', sizes, name)
    if size then
        redis.call('HINCRBY', sizes, 'total', -size)
    end
    redis.call('HDEL', sizes, name)
    redis.call('ZREM', expiries, name)
    redis.call('DEL', name)
end
local now = redis.call('TIME')
local now_ms = now[1] * 1000
for _, name in ipairs(redis.call('ZRANGEBYSCORE', expiries, '-inf', now_ms, 'LIMIT', 0, 100)) do
    forget(name)
end
forget(entry)
while (tonumber(redis.call('HGET', sizes, 'total')) or 0) + #data > bound do
    local soonest = redis.call('ZRANGE', expiries, 0, 0)[1]
    if not soonest then
        redis.call('DEL', sizes)
        break
    end
    forget(soonest)
end
redis.call('SET', entry, data, 'PXAT', expires_ms)
redis.call('ZADD', expiries, expires_ms, entry)
redis.call('HSET', sizes, entry, #data)
redis.call('HINCRBY', sizes, 'total', #data)
"""


class RedisTier:
    """Keeps at most `max_bytes` of entries, however many processes write them."""

    name = "redis"

    def __init__(self, url: str, max_bytes: int) -> None:
        """Nothing is connected before the first call."""
        # Once more at once, for a connection that the server closed while nobody looked.
        pool = open_pool(url, _TURN_SECONDS, retry=Retry(NoBackoff(), 1))
        self._redis = Redis.from_pool(pool)
        self._max_bytes = max_bytes

    async def get(self, key: str) -> bytes | None:
        """See `Tier.get`."""
        with _tier_errors():
            return cast("bytes | None", await self._redis.get(_PREFIX + key))

    async def set(self, key: str, data: bytes, expires_at: float) -> None:
        """See `Tier.set`."""
        if len(data) > self._max_bytes:
            return
        names = (_PREFIX + key, _EXPIRIES, _SIZES)
        arguments = (data, str(int(expires_at * 1000)), str(self._max_bytes))
        with _tier_errors():
            await cast(
                "Awaitable[object]", self._redis.eval(_STORE, len(names), *names, *arguments)
            )

    async def delete(self, key: str) -> None:
        """See `Tier.delete`; its size stays counted until it would have ended."""
        with _tier_errors():
            await self._redis.delete(_PREFIX + key)

    async def close(self) -> None:
        """See `Tier.close`."""
        with _tier_errors():
            await self._redis.aclose()


@contextmanager
def _tier_errors() -> Iterator[None]:
    try:
        yield
    except RedisError as exc:
        raise TierError(f"{type(exc).__name__}: {exc}") from exc

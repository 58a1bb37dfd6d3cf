"""Pools of connections to Redis: bounded, and a call waits where all are in use."""

from typing import Any

from redis.asyncio import BlockingConnectionPool

#: Of a pool; each call takes one for a millisecond or so.
MOST_CONNECTIONS = 50


def open_pool(url: str, wait_seconds: float, **options: Any) -> BlockingConnectionPool:
    """A pool that connects when it is used; a call that gets no connection in time fails.

    Args:
        url: As in `REDIS_URL`.
        wait_seconds: Until then another call must have given one back.
        options: Those of each connection.
    """
    return BlockingConnectionPool.from_url(
        url, max_connections=MOST_CONNECTIONS, timeout=wait_seconds, **options
    )

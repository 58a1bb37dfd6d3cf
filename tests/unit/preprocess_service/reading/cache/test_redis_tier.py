import asyncio
import random
import time

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from preprocess_service.reading.cache.redis_tier import RedisTier
from preprocess_service.reading.cache.safe_tier import TierError


@pytest_asyncio.fixture
async def tier(valkey):
    tier = RedisTier(valkey.url, 1000)
    yield tier
    await tier.close()


@pytest_asyncio.fixture
async def redis(valkey):
    async with Redis.from_url(valkey.url) as redis:
        yield redis


async def _bytes_kept(redis):
    names = await redis.keys("*:cache:1}:[0-9a-f]*")
    return sum([await redis.strlen(name) for name in names if b"expir" not in name])


def _later(seconds=100.0):
    return time.time() + seconds


async def test_bytes_come_back_and_end(tier, redis):
    await tier.set("aa", b"\x00\xff", _later(0.2))
    assert await tier.get("aa") == b"\x00\xff"
    assert await tier.get("bb") is None
    assert 0 < await redis.pttl("{ocr:cache:1}:aa") <= 200
    await asyncio.sleep(0.25)
    assert await tier.get("aa") is None


async def test_two_processes_share_entries_and_bound(tier, valkey, redis):
    other = RedisTier(valkey.url, 1000)
    chance = random.Random(4)
    for number in range(200):
        writer = chance.choice([tier, other])
        key = f"{chance.randrange(30):064x}"
        await writer.set(key, bytes(chance.randrange(1, 400)), _later(100 + number))
        assert await _bytes_kept(redis) <= 1000
    counted = int(await redis.hget("{ocr:cache:1}:sizes", "total"))
    assert counted == await _bytes_kept(redis) > 500
    assert (
        await redis.zcard("{ocr:cache:1}:expiries") == await redis.hlen("{ocr:cache:1}:sizes") - 1
    )
    await other.close()


async def test_what_ends_soonest_makes_room(tier):
    for position, key in enumerate(("aa", "bb", "cc")):
        await tier.set(key, bytes(400), _later(100 - position))
    assert [key for key in ("aa", "bb", "cc") if await tier.get(key)] == ["aa", "cc"]


async def test_room_of_ended_entries_is_used_again(tier, redis):
    await tier.set("aa", bytes(900), _later(0.05))
    await asyncio.sleep(1.1)  # the script counts in whole seconds
    await tier.set("bb", bytes(900), _later())
    assert await redis.hget("{ocr:cache:1}:sizes", "total") == b"900"


async def test_entry_larger_than_the_bound_is_left_out(tier):
    await tier.set("aa", bytes(900), _later())
    await tier.set("bb", bytes(1001), _later())
    assert await tier.get("aa") is not None
    assert await tier.get("bb") is None


async def test_lost_counts_do_not_lock_the_tier(tier, redis):
    await tier.set("aa", bytes(900), _later())
    await redis.delete("{ocr:cache:1}:expiries")
    await tier.set("bb", bytes(900), _later())
    assert await tier.get("bb") is not None
    assert await redis.hget("{ocr:cache:1}:sizes", "total") == b"900"


async def test_deleted_entry_is_gone(tier):
    await tier.set("aa", b"x", _later())
    await tier.delete("aa")
    assert await tier.get("aa") is None


async def test_other_data_of_the_server_is_left_alone(tier, redis):
    await redis.set("job:1", "x")
    for number in range(20):
        await tier.set(f"{number:02x}", bytes(300), _later(number + 10))
    assert await redis.get("job:1") == b"x"


async def test_server_that_is_away_is_said_in_the_tiers_own_words(tier, valkey):
    await tier.set("aa", b"x", _later())
    valkey.kill()
    with pytest.raises(TierError, match="ConnectionError"):
        await tier.get("aa")
    with pytest.raises(TierError):
        await tier.set("aa", b"x", _later())
    valkey.start()
    await tier.set("bb", b"x", _later())
    assert await tier.get("bb") == b"x"


async def test_connections_closed_by_a_restart_are_not_noticed(tier, valkey):
    await tier.set("aa", b"x", _later())
    valkey.stop()
    valkey.start()
    assert await tier.get("aa") == b"x"

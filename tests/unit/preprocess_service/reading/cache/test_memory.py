import asyncio
import time

from preprocess_service.reading.cache.memory import MemoryTier

LATER = time.time() + 1e6


async def test_what_was_asked_for_least_recently_makes_room():
    tier = MemoryTier(100)
    for name in "abc":
        await tier.set(name, bytes(30), LATER)
    assert await tier.get("a")
    await tier.set("d", bytes(30), LATER)
    assert [name for name in "abcd" if await tier.get(name)] == ["a", "c", "d"]
    assert tier.size_bytes == 90


async def test_entry_larger_than_the_tier_leaves_the_others_alone():
    tier = MemoryTier(100)
    await tier.set("a", bytes(60), LATER)
    await tier.set("b", bytes(101), LATER)
    assert await tier.get("a")
    assert await tier.get("b") is None


async def test_entries_end():
    tier = MemoryTier(100)
    await tier.set("a", bytes(60), time.time() + 0.05)
    await tier.set("b", bytes(10), time.time() - 1)
    assert await tier.get("a")
    assert await tier.get("b") is None
    await asyncio.sleep(0.06)
    assert await tier.get("a") is None
    assert tier.size_bytes == 0


async def test_entry_kept_twice_is_counted_once_and_can_be_deleted():
    tier = MemoryTier(100)
    await tier.set("a", bytes(60), LATER)
    await tier.set("a", bytes(50), LATER)
    assert tier.size_bytes == 50
    await tier.delete("a")
    await tier.delete("a")
    assert tier.size_bytes == 0

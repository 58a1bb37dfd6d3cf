"""Tiers together and behind their guards, with real memory, Valkey and files."""

import asyncio
import logging
import threading
import time
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from preprocess_service.reading.cache.disk import DiskTier
from preprocess_service.reading.cache.entry import pack_entry
from preprocess_service.reading.cache.memory import MemoryTier
from preprocess_service.reading.cache.redis_tier import RedisTier
from preprocess_service.reading.cache.safe_tier import SafeTier
from preprocess_service.reading.cache.tiers import TieredCache
from tests.waiting import until

KEY = "ab" * 32
MB = 1 << 20


class Tiers:
    """The parts of one process's cache."""

    def __init__(self, url: str, folder: Path, ttl_seconds: float = 100) -> None:
        self.memory, self.redis = MemoryTier(MB), RedisTier(url, MB)
        self.disk = DiskTier(folder, MB)
        self.parts = [self.memory, self.redis, self.disk]
        self.guarded = [SafeTier(tier, timeout_seconds=0.3) for tier in self.parts]
        self.cache = TieredCache(self.guarded, ttl_seconds)

    async def holding(self) -> list[str]:
        return [tier.name for tier in self.parts if await tier.get(KEY)]


@pytest_asyncio.fixture
async def tiers(valkey, tmp_path):
    tiers = Tiers(valkey.url, tmp_path / "cache")
    yield tiers
    await tiers.cache.close()


def _count(tier, outcome):
    labels = {"tier": tier, "outcome": outcome}
    return REGISTRY.get_sample_value("ocr_cache_requests_total", labels) or 0


def _is_up(tier):
    return REGISTRY.get_sample_value("ocr_cache_tier_up", {"tier": tier})


async def test_document_is_kept_in_every_tier(tiers, document):
    assert await tiers.cache.find(KEY) is None
    await tiers.cache.keep(KEY, document)
    assert await tiers.holding() == ["memory", "redis", "disk"]
    assert await tiers.cache.find(KEY) == document


@pytest.mark.parametrize("lost", [["memory"], ["memory", "redis"], ["redis"], []])
async def test_hit_in_a_tier_fills_those_before_it(tiers, document, lost):
    await tiers.cache.keep(KEY, document)
    for tier in tiers.parts:
        if tier.name in lost:
            await tier.delete(KEY)
    first_left = next(name for name in ("memory", "redis", "disk") if name not in lost)
    before = _count(first_left, "hit")
    assert await tiers.cache.find(KEY) == document
    assert _count(first_left, "hit") == before + 1
    expected = {"memory", "redis", "disk"} - ({"redis"} if lost == ["redis"] else set())
    assert set(await tiers.holding()) == expected


async def test_document_ends_everywhere_however_often_it_was_found(valkey, tmp_path, document):
    tiers = Tiers(valkey.url, tmp_path / "cache", ttl_seconds=0.3)
    await tiers.cache.keep(KEY, document)
    ends = time.monotonic() + 0.3
    while time.monotonic() < ends - 0.1:
        await tiers.memory.delete(KEY)
        assert await tiers.cache.find(KEY) == document
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.15)
    assert await tiers.cache.find(KEY) is None
    assert await tiers.holding() == []
    await tiers.cache.close()


async def test_second_process_finds_what_the_first_kept(tiers, valkey, tmp_path, document):
    await tiers.cache.keep(KEY, document)
    by_redis = Tiers(valkey.url, tmp_path / "elsewhere")
    assert await by_redis.cache.find(KEY) == document
    valkey.kill()
    by_disk = Tiers(valkey.url, tmp_path / "cache")
    assert await by_disk.cache.find(KEY) == document
    for other in (by_redis, by_disk):
        await other.cache.close()


@pytest.mark.parametrize("name", ["memory", "redis", "disk"])
async def test_damaged_entry_is_a_miss_and_removed(tiers, document, name, caplog):
    tier = next(tier for tier in tiers.parts if tier.name == name)
    data = pack_entry(document, time.time() + 100).data
    await tier.set(KEY, data[:20] + b"\x00" + data[21:], time.time() + 100)
    before = _count(name, "corrupt")
    assert await tiers.cache.find(KEY) is None
    assert _count(name, "corrupt") == before + 1
    assert await tiers.holding() == []
    assert "damaged" in caplog.text
    assert all(tier.is_up for tier in tiers.guarded)


async def test_dead_redis_is_skipped_reported_once_and_taken_up_again(
    tiers, valkey, document, caplog
):
    await tiers.cache.keep(KEY, document)
    valkey.kill()
    skipped = _count("redis", "skipped")
    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            await tiers.memory.delete(KEY)
            assert await tiers.cache.find(KEY) == document
    reports = [record for record in caplog.records if record.message == "cache tier fails"]
    assert [(r.tier, r.operation) for r in reports] == [("redis", "read"), ("redis", "write")]
    assert _count("redis", "skipped") > skipped + 40
    assert _is_up("redis") == 0
    valkey.start()
    await asyncio.sleep(1.1)
    await tiers.memory.delete(KEY)
    for _ in range(3):
        await tiers.cache.keep(KEY, document)
        await tiers.memory.delete(KEY)
        await tiers.cache.find(KEY)
    assert _is_up("redis") == 1
    assert await tiers.redis.get(KEY)


async def test_dead_redis_costs_nothing_per_request(tiers, valkey, document):
    valkey.kill()
    await tiers.cache.keep(KEY, document)
    started = time.perf_counter()
    for _ in range(20):
        assert await tiers.cache.find(KEY)
        await tiers.cache.find("cd" * 32)
    assert (time.perf_counter() - started) / 40 < 0.02


async def test_redis_that_hangs_costs_one_time_limit(tiers, valkey, document):
    await tiers.cache.keep(KEY, document)
    await tiers.memory.delete(KEY)
    valkey.freeze()
    started = time.perf_counter()
    found = await asyncio.gather(*(tiers.cache.find(KEY) for _ in range(10)))
    assert found == [document] * 10
    assert await tiers.cache.find(KEY) == document
    assert time.perf_counter() - started < 1.5  # one limit for reads, one for writes


async def test_folder_that_cannot_be_written_still_answers(tiers, valkey, document, monkeypatch):
    await tiers.cache.keep(KEY, document)

    def refuse(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("preprocess_service.reading.cache.disk.tempfile.mkstemp", refuse)
    monkeypatch.setattr("preprocess_service.reading.cache.disk.os.utime", refuse)
    await tiers.cache.keep("cd" * 32, document)
    assert _is_up("disk") == 0
    for tier in (tiers.memory, tiers.redis):
        await tier.delete(KEY)
    assert await tiers.cache.find(KEY) == document
    assert await tiers.memory.get("cd" * 32)


async def test_tier_that_fails_is_closed_too(tmp_path, document):
    (tmp_path / "cache").write_text("a file where a folder should be")
    disk = SafeTier(DiskTier(tmp_path / "cache", MB))
    before = set(threading.enumerate())
    cache = TieredCache([disk], 100)
    await cache.keep(KEY, document)
    assert not disk.is_up
    threads = [t for t in set(threading.enumerate()) - before if t.name.startswith("cache-disk")]
    assert threads
    await cache.close()
    await until(lambda: not any(thread.is_alive() for thread in threads))

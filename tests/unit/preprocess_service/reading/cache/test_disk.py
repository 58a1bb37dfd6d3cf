import asyncio
import stat
import subprocess
import sys
import time

import pytest

from preprocess_service.reading.cache.disk import DiskTier

BLOCK = 4096
KEYS = [f"{number:064x}" for number in range(1000)]


def _later(seconds=100.0):
    return time.time() + seconds


def _files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_bytes_outlive_the_tier(tmp_path):
    folder = tmp_path / "data" / "cache"
    await DiskTier(folder, 100 * BLOCK).set(KEYS[0], b"\x00\xff", _later())
    tier = DiskTier(folder, 100 * BLOCK)
    assert await tier.get(KEYS[0]) == b"\x00\xff"
    assert await tier.get(KEYS[1]) is None


async def test_only_the_owner_can_read(tmp_path):
    folder = tmp_path / "cache"
    await DiskTier(folder, 100 * BLOCK).set(KEYS[0], b"x", _later())
    (file,) = _files(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_bound_holds_while_entries_come_and_go(tmp_path):
    tier = DiskTier(tmp_path, 64 * BLOCK)
    for key in KEYS[:200]:
        await tier.set(key, bytes(BLOCK), _later())
        assert len(_files(tmp_path)) <= 65  # one that is counted already, but not there yet
    assert len(_files(tmp_path)) >= 48
    for _ in range(100):
        await tier.set(KEYS[200], bytes(BLOCK), _later())
        if await tier.get(KEYS[200]):
            break
        await asyncio.sleep(0.02)
    assert await tier.get(KEYS[200])
    await tier.close()


async def test_entry_too_large_for_the_tier_is_left_out(tmp_path):
    tier = DiskTier(tmp_path, 80 * BLOCK)
    await tier.set(KEYS[0], bytes(11 * BLOCK), _later())
    assert not _files(tmp_path)


async def test_deleted_entry_is_gone(tmp_path):
    tier = DiskTier(tmp_path, 80 * BLOCK)
    await tier.set(KEYS[0], b"x", _later())
    await tier.delete(KEYS[0])
    await tier.delete(KEYS[0])
    assert not _files(tmp_path)


def test_full_disk_is_an_error_and_leaves_nothing(tmp_path):
    # As root a read-only folder is no obstacle, and a small file system needs a mount: a process
    # whose files may not grow fails in the same place in the same way.
    script = f"""
import asyncio, resource, signal, time
from pathlib import Path
from preprocess_service.reading.cache.disk import DiskTier
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
tier = DiskTier(Path({str(tmp_path)!r}), {1000 * BLOCK})
async def main():
    await tier.set({KEYS[0]!r}, bytes(4000), time.time() + 100)
    try:
        await tier.set({KEYS[1]!r}, bytes(50_000), time.time() + 100)
    except OSError as exc:
        print("refused", await tier.get({KEYS[0]!r}) is not None)
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "refused True\n"
    assert [path.name for path in _files(tmp_path)] == [KEYS[0]]


async def test_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "cache").write_text("a file")
    tier = DiskTier(tmp_path / "cache", 80 * BLOCK)
    with pytest.raises(OSError, match="cache"):
        await tier.set(KEYS[0], b"x", _later())


def test_two_processes_write_the_same_folder(tmp_path):
    script = f"""
import asyncio, time
from pathlib import Path
from preprocess_service.reading.cache.disk import DiskTier
tier = DiskTier(Path({str(tmp_path)!r}), {64 * BLOCK})
async def main():
    for number in range(300):
        key = f"{{number % 100:064x}}"
        await tier.set(key, key.encode() * 50, time.time() + 100)
        data = await tier.get(key)
        assert data in (None, key.encode() * 50)
asyncio.run(main())
"""
    processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    files = _files(tmp_path)
    assert 0 < len(files) <= 72
    assert not [path for path in files if path.name.startswith(".")]

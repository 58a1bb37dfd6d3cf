import os
import time
from pathlib import Path

import pytest

from preprocess_service.reading.cache import sweep
from preprocess_service.reading.cache.sweep import Sweeper, sweep_folder
from tests.waiting import until

BLOCK = 4096


def _put(folder: Path, name: str, *, read: float = 0, ends: float = 100) -> Path:
    """A file of one block that was read and will end so many seconds from now."""
    path = folder / name[:2] / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(BLOCK - 10))
    os.utime(path, (time.time() + read, time.time() + ends))
    return path


def _names(folder):
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_least_recently_read_files_go_until_the_rest_fits(tmp_path):
    for position, name in enumerate(("aa", "bb", "cc", "dd")):
        _put(tmp_path, name, read=-position, ends=position + 1)
    sweep_folder(tmp_path, 2 * BLOCK)
    assert _names(tmp_path) == {"aa", "bb"}


def test_ended_files_and_leftovers_of_a_crash_go(tmp_path):
    _put(tmp_path, "aa")
    _put(tmp_path, "bb", ends=-1)
    _put(tmp_path, ".fresh", ends=-1)
    _put(tmp_path, ".half", ends=-100)
    sweep_folder(tmp_path, 100 * BLOCK)
    assert _names(tmp_path) == {"aa", ".fresh"}


def test_folder_that_is_not_there_is_empty(tmp_path):
    sweep_folder(tmp_path / "none", 0)


async def test_room_is_given_out_once_and_again_after_a_sweep(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "sweep_folder", lambda folder, bound: time.sleep(0.1))
    sweeper = Sweeper(tmp_path, 64 * BLOCK)
    await until(lambda: sweeper.take(BLOCK * 8))
    refused = [sweeper.take(1) for _ in range(20)]
    assert refused == [False] * 20
    assert not sweeper.take(9 * BLOCK)
    await until(lambda: sweeper.take(8 * BLOCK))
    sweeper.close()


async def test_files_end_though_nobody_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "_PAUSE_SECONDS", 0.05)
    _put(tmp_path, "aa", ends=0.2)
    _put(tmp_path, "bb")
    sweeper = Sweeper(tmp_path, 64 * BLOCK)
    await until(lambda: _names(tmp_path) == {"bb"})
    sweeper.close()


async def test_failed_sweep_is_told_to_the_next_writer_and_tried_again(tmp_path, monkeypatch):
    outcomes = [OSError("broken")]

    def sweep_once(folder, bound):
        if outcomes:
            raise outcomes.pop()

    monkeypatch.setattr(sweep, "sweep_folder", sweep_once)
    sweeper = Sweeper(tmp_path, 64 * BLOCK)
    await until(lambda: sweeper._error)
    with pytest.raises(OSError, match="broken"):
        sweeper.take(1)
    assert sweeper.take(1)
    sweeper.close()

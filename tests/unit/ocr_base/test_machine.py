"""What a process may use of a machine with eight processors and 8000 MB, 4000 of them free."""

import os
from pathlib import Path

import pytest

from ocr_base.machine import free_memory_bytes, usable_cores, usable_memory_bytes

MB = 1 << 20
VERSION_2 = "1:name=systemd:/x\n0::/pod/service\n"
VERSION_1 = "9:name=systemd:/x\n4:memory:/pod/service\n3:cpu,cpuacct:/pod/service\n0::/\n"


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    text = f"MemTotal: {8000 * 1024} kB\nMemFree: 5 kB\nMemAvailable: {4000 * 1024} kB\n"
    _write(tmp_path, "proc/meminfo", text)
    return tmp_path


def _write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def _limit_version_2(root: Path, group: str, memory: str) -> None:
    _write(root, f"sys/fs/cgroup/{group}/memory.max", f"{memory}\n")
    _write(root, f"sys/fs/cgroup/{group}/memory.current", f"{900 * MB}\n")
    stat = f"anon {600 * MB}\ninactive_file {300 * MB}\n"
    _write(root, f"sys/fs/cgroup/{group}/memory.stat", stat)


def _limit_version_1(root: Path, group: str, memory: int) -> None:
    folder = f"sys/fs/cgroup/memory/{group}"
    _write(root, f"{folder}/memory.limit_in_bytes", f"{memory}\n")
    _write(root, f"{folder}/memory.usage_in_bytes", f"{900 * MB}\n")
    _write(root, f"{folder}/memory.stat", f"inactive_file 5\ntotal_inactive_file {300 * MB}\n")


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", 8), ("250000 100000", 2), ("50000 100000", 1), ("9900000 100000", 8), ("", 8)],
)
def test_quota_of_version_2(root: Path, quota: str, cores: int) -> None:
    _write(root, "proc/self/cgroup", VERSION_2)
    _write(root, "sys/fs/cgroup/pod/service/cpu.max", quota)
    assert usable_cores(root) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 8), ("300000", 3)])
def test_quota_of_version_1(root: Path, quota: str, cores: int) -> None:
    _write(root, "proc/self/cgroup", VERSION_1)
    _write(root, "sys/fs/cgroup/cpu/pod/service/cpu.cfs_quota_us", f"{quota}\n")
    _write(root, "sys/fs/cgroup/cpu/pod/service/cpu.cfs_period_us", "100000\n")
    assert usable_cores(root) == cores


def test_the_quota_of_a_group_around_it_counts_too(root: Path) -> None:
    _write(root, "proc/self/cgroup", VERSION_2)
    _write(root, "sys/fs/cgroup/pod/service/cpu.max", "max 100000")
    _write(root, "sys/fs/cgroup/pod/cpu.max", "200000 100000")
    assert usable_cores(root) == 2


def test_in_a_container_the_mount_is_the_group(root: Path) -> None:
    _write(root, "proc/self/cgroup", "4:cpu,cpuacct:/docker/0123\n3:memory:/docker/0123\n")
    _write(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n")
    _write(root, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    _limit_version_1(root, "", 1000 * MB)
    assert usable_cores(root) == 2
    assert usable_memory_bytes(root) == 1000 * MB


def test_without_control_groups_the_machine_counts(root: Path) -> None:
    assert usable_cores(root) == 8
    assert usable_memory_bytes(root) == 8000 * MB
    assert free_memory_bytes(root) == 4000 * MB


def test_a_memory_limit_of_version_2_counts_without_files_that_can_go(root: Path) -> None:
    _write(root, "proc/self/cgroup", VERSION_2)
    _limit_version_2(root, "pod/service", str(1000 * MB))
    assert usable_memory_bytes(root) == 1000 * MB
    assert free_memory_bytes(root) == 400 * MB


def test_a_memory_limit_of_version_1_counts_without_files_that_can_go(root: Path) -> None:
    _write(root, "proc/self/cgroup", VERSION_1)
    _limit_version_1(root, "pod/service", 1000 * MB)
    assert usable_memory_bytes(root) == 1000 * MB
    assert free_memory_bytes(root) == 400 * MB


def test_the_memory_limit_of_a_group_around_it_counts_too(root: Path) -> None:
    _write(root, "proc/self/cgroup", VERSION_2)
    _limit_version_2(root, "pod/service", "max")
    _limit_version_2(root, "pod", str(800 * MB))
    assert usable_memory_bytes(root) == 800 * MB
    assert free_memory_bytes(root) == 200 * MB


@pytest.mark.parametrize("version", [1, 2])
def test_a_group_without_limit_has_what_the_machine_has(root: Path, version: int) -> None:
    _write(root, "proc/self/cgroup", VERSION_1 if version == 1 else VERSION_2)
    _limit_version_2(root, "pod/service", "max")
    _limit_version_1(root, "pod/service", 9223372036854771712)
    assert usable_memory_bytes(root) == 8000 * MB
    assert free_memory_bytes(root) == 4000 * MB


def test_this_machine_says_something() -> None:
    assert usable_cores() > 0
    assert usable_memory_bytes() >= free_memory_bytes() > 0

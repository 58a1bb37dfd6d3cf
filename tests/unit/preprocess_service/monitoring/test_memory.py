from pathlib import Path

import pytest

from preprocess_service.monitoring.memory import free_machine_bytes, share_allowed

MB = 1 << 20


@pytest.mark.parametrize(
    ("free_mb", "share"), [(8000, 1), (1000, 1), (750, 0.5), (501, 0.002), (500, 0), (20, 0)]
)
def test_work_shrinks_evenly_between_twice_the_buffer_and_the_buffer(free_mb, share):
    assert share_allowed(free_mb * MB, 500 * MB) == pytest.approx(share)


def test_without_a_buffer_nothing_shrinks():
    assert share_allowed(0, 0) == 1


@pytest.fixture
def machine(tmp_path) -> Path:
    """A root folder whose machine has 4000 MB left."""
    (tmp_path / "proc/self").mkdir(parents=True)
    text = f"MemTotal: {8000 * 1024} kB\nMemFree: 5 kB\nMemAvailable: {4000 * 1024} kB\n"
    (tmp_path / "proc/meminfo").write_text(text)
    return tmp_path


def _limit_group(machine: Path, limit: str) -> None:
    group = machine / "sys/fs/cgroup/pod/service"
    group.mkdir(parents=True)
    (machine / "proc/self/cgroup").write_text("1:name=systemd:/x\n0::/pod/service\n")
    (group / "memory.max").write_text(f"{limit}\n")
    (group / "memory.current").write_text(f"{900 * MB}\n")
    (group / "memory.stat").write_text(f"anon {600 * MB}\ninactive_file {300 * MB}\n")


def test_the_machine_counts_without_a_control_group(machine):
    assert free_machine_bytes(machine) == 4000 * MB


def test_a_limit_of_the_control_group_counts_without_files_that_can_go(machine):
    _limit_group(machine, str(1000 * MB))
    assert free_machine_bytes(machine) == 400 * MB


def test_a_group_without_limit_has_what_the_machine_has(machine):
    _limit_group(machine, "max")
    assert free_machine_bytes(machine) == 4000 * MB


def test_this_machine_says_something():
    assert free_machine_bytes() > 0

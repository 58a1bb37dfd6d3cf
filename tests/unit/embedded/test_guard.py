"""The guard on real processes: whatever the command starts ends with it."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from embedded import lost_processes
from embedded.command_line import hide_argument
from embedded.guard import SHARED_MEMORY
from embedded.guarded_process import Command, GuardedProcess
from embedded.lost_processes import LostProcesses

# A command that ignores the request to end, with a child in a session of its own.
STUBBORN = "trap '' TERM; setsid sleep 1000 & echo up; sleep 1001; true"
WAIT_SECONDS = 20


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Harness:
    """Starts shell commands under guard in a folder of the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = f"guard_test_{os.getpid()}_{folder.name}_"
        self.lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
        self.log = folder / "log"

    def start(self, script: str) -> GuardedProcess:
        command = Command(
            ("bash", "-c", script), dict(os.environ), self.folder, self.log, self.prefix, 0.5
        )
        process = GuardedProcess(command, self.lock)
        process.start()
        return process

    def share_memory(self) -> Path:
        path = SHARED_MEMORY / f"{self.prefix}1"
        path.touch()
        return path


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


def started(harness: Harness) -> tuple[GuardedProcess, list[psutil.Process]]:
    process = harness.start(STUBBORN)
    wait_until(lambda: harness.log.exists() and "up" in harness.log.read_text())
    wait_until(lambda: process.pid)
    command = psutil.Process(process.pid)
    wait_until(lambda: [child.name() for child in command.children()] == ["sleep", "sleep"])
    return process, [command, *command.children(recursive=True)]


def test_stop_ends_even_a_stubborn_family_and_its_shared_memory(harness: Harness) -> None:
    process, family = started(harness)
    shared = harness.share_memory()
    process.stop()
    assert process.poll() == 137
    assert not [member for member in family if member.is_running()]
    assert not shared.exists()


def test_the_end_of_the_command_ends_what_it_left_behind(harness: Harness) -> None:
    process, family = started(harness)
    shared = harness.share_memory()
    process.kill()
    wait_until(lambda: process.poll() is not None)
    assert process.poll() == 137
    assert not [member for member in family if member.is_running()]
    assert not shared.exists()


def test_the_exit_code_is_the_commands(harness: Harness) -> None:
    for script in ("exit 3", "sleep 0.3; exit 3"):
        process = harness.start(script)
        wait_until(lambda: process.poll() is not None)  # noqa: B023
        assert process.poll() == 3


def test_a_killed_guard_takes_the_command_along(harness: Harness) -> None:
    process, family = started(harness)
    assert process._guard is not None
    shared = harness.share_memory()
    process._guard.kill()
    psutil.wait_procs(family[:1], timeout=WAIT_SECONDS)
    assert not family[0].is_running()
    process.stop()
    assert process.poll() == 137
    assert not shared.exists()
    for orphan in family[1:]:
        orphan.kill()


def test_the_log_of_the_run_before_is_kept(harness: Harness) -> None:
    for word in ("first", "second"):
        process = harness.start(f"echo {word}")
        wait_until(lambda: process.poll() is not None)  # noqa: B023
    assert harness.log.read_text() == "second\n"
    assert harness.log.with_suffix(".previous.log").read_text() == "first\n"


def test_a_dead_child_that_nobody_waits_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """`exec` keeps the process id and forgets the child of the shell before it."""
    monkeypatch.setattr(lost_processes, "_LOOK_SECONDS", 0.1)
    parent = subprocess.Popen(["bash", "-c", "sleep 0.2 & exec sleep 1000"])
    try:
        finder = LostProcesses()
        found: list[int] = []
        wait_until(lambda: found.extend(finder.of(parent.pid)) or found)
        assert psutil.Process(found[0]).ppid() == parent.pid
    finally:
        parent.kill()
        parent.wait()


def test_a_secret_is_taken_out_of_what_the_system_shows(harness: Harness) -> None:
    process = harness.start("echo up; sleep 1000; true # key=hunter2")
    wait_until(lambda: harness.log.exists() and "up" in harness.log.read_text())
    wait_until(lambda: process.pid)
    command = psutil.Process(process.pid)
    family = [command, command.parent()]
    assert all("key=hunter2" in " ".join(p.cmdline()) for p in family)
    process.hide_argument("hunter2")
    assert all("key=*******" in " ".join(p.cmdline()) for p in family)
    process.stop()


def test_a_secret_of_a_process_that_is_gone_is_no_error() -> None:
    assert not hide_argument(2**22 + 1, "hunter2")

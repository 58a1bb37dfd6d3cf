"""Runs one command and outlives whoever started it just long enough to clean up after it.

The starter holds the other end of this process's standard input. When that end closes, because the
starter wants the command stopped or because it was killed, the guard ends the command, everything
the command started and the command's shared memory. The kernel's death signal (`PR_SET_PDEATHSIG`)
alone would not do: it fires when the *thread* that forked ends, reaches no grandchildren and
removes no files.

Runs as a plain file under ``python -I -S``: standard library only, nothing of this package.
"""

import argparse
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps POSIX shared memory
KILL_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_libc = ctypes.CDLL(None, use_errno=True)


def remove_shared_memory(prefix: str) -> None:
    """Remove the shared memory whose name begins with `prefix`; an empty one removes nothing."""
    for path in SHARED_MEMORY.glob(f"{prefix}*") if prefix else ():
        path.unlink(missing_ok=True)


class Guard:
    """One command with its whole family of processes."""

    def __init__(self, command: Sequence[str]) -> None:
        # Orphans of the command become our children, so none can be missed or left as a zombie.
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._wakeup = _signal_pipe()
        # Kept for its life: a dropped `Popen` would reap the child, and its exit code with it.
        self._command = _start(command)
        self._pid = self._command.pid
        self.exit_code: int | None = None

    def wait(self) -> None:
        """Return when the command has ended, the starter is gone or a stop signal came."""
        while self.exit_code is None:
            ready, _, _ = select.select([0, self._wakeup], [], [])
            if self._wakeup in ready and self._stop_signaled():
                return
            if 0 in ready and not os.read(0, 1):
                return
            self._reap()

    def stop(self, grace_seconds: float) -> None:
        """Ask the command to end, wait for it, then kill whatever is left of its family."""
        if self.exit_code is None:
            os.kill(self._pid, signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        while self.exit_code is None and time.monotonic() < deadline:
            self._reap_soon()
        deadline = time.monotonic() + KILL_SECONDS
        while (children := _children(self._pid)) and time.monotonic() < deadline:
            for pid in children:
                _kill(pid)
            self._reap_soon()

    def _stop_signaled(self) -> bool:
        return any(number in _STOP_SIGNALS for number in os.read(self._wakeup, 64))

    def _reap_soon(self) -> None:
        if select.select([self._wakeup], [], [], 0.1)[0]:
            os.read(self._wakeup, 64)
        self._reap()

    def _reap(self) -> None:
        """Collect every child that has ended; remember how the command itself did."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._pid:
                code = os.waitstatus_to_exitcode(status)
                self.exit_code = code if code >= 0 else 128 - code


def _signal_pipe() -> int:
    """Return a descriptor that gives the number of every signal the guard gets, as a byte each."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (*_STOP_SIGNALS, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return reading


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    def die_with_the_guard() -> None:
        # The guard has one thread, so here the kernel's death signal means the guard's death.
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return subprocess.Popen(  # noqa: S603 - the command is the supervisor's own
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_the_guard,
    )


def _children(session: int) -> list[int]:
    try:
        return [
            int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        ]
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        return _session_members(session)


def _session_members(session: int) -> list[int]:
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if _session(pid) == session]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def main(arguments: Sequence[str]) -> int:
    """Run a command under guard; return its exit code, 128 + N when signal N ended it."""
    parser = argparse.ArgumentParser(description="Run a command and clean up after it.")
    parser.add_argument("--shm-prefix", default="")
    parser.add_argument("--grace-seconds", type=float, default=30.0)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    guard = Guard(options.command)
    guard.wait()
    guard.stop(options.grace_seconds)
    remove_shared_memory(options.shm_prefix)
    return guard.exit_code if guard.exit_code is not None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

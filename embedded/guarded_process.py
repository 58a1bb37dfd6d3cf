"""A child process under a guard: it ends when its starter ends, however that happens."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from embedded import guard
from embedded.command_line import hide_argument
from embedded.guard import KILL_SECONDS, remove_shared_memory

# Pages are blocks of megabytes. glibc learns to keep such blocks in its heap, which then grows and
# tears; with a fixed threshold they are maps of their own and go back when freed.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 20)}


@dataclass(frozen=True)
class Command:
    """What to run.

    Attributes:
        arguments: The program and its arguments.
        arguments_of_start: More arguments, asked for at each start.
        environment: The whole environment of the program.
        folder: The folder it runs in.
        log: The file that takes its output, None for the terminal.
        shm_prefix: What its shared memory files begin with, empty if it has none.
        grace_seconds: How long it may take to end by itself.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path | None = None
    shm_prefix: str = ""
    grace_seconds: float = 30.0
    arguments_of_start: Callable[[], Sequence[str]] = tuple


class GuardedProcess:
    """One command; it can be started again after it ended."""

    def __init__(self, command: Command, lock: int) -> None:
        self._command = command
        self._lock = lock
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the command; what a predecessor left behind is removed first."""
        command = self._command
        arguments = [*command.arguments, *command.arguments_of_start()]
        self._remove_remains()
        with _output(command.log) as output:
            self._guard = subprocess.Popen(  # noqa: S603 - our own guard
                [*_guard_arguments(command), *arguments],
                env={**_MEMORY, **command.environment},
                cwd=command.folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C at the terminal reaches the supervisor alone
                pass_fds=(self._lock,),
            )

    def poll(self) -> int | None:
        """Return the exit code, 128 + N when signal N ended it, or None while it runs."""
        code = self._guard.poll() if self._guard else None
        return 128 - code if code is not None and code < 0 else code

    @property
    def pid(self) -> int | None:
        """The process id of the command itself, None when it does not run."""
        try:
            children = psutil.Process(self._guard.pid).children() if self._guard else []
        except psutil.NoSuchProcess:
            return None
        return children[0].pid if children else None

    def kill(self) -> None:
        """Kill the command at once; its guard then cleans up and `poll` tells the end."""
        if pid := self.pid:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()

    def hide_argument(self, secret: str) -> None:
        """Take a secret out of the command lines that the system shows, once they were read."""
        for pid in (self._guard.pid if self._guard else None, self.pid):
            if pid is not None:
                hide_argument(pid, secret)

    def stop(self) -> None:
        """End the command and everything it started; return when all of it is gone."""
        if self._guard is None:
            return
        if self._guard.stdin:
            self._guard.stdin.close()
        try:
            self._guard.wait(self._command.grace_seconds + 2 * KILL_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._remove_remains()

    def _remove_remains(self) -> None:
        """Remove what is there only if a guard was killed: nobody else cleaned up after it."""
        _end_strays(self._command.shm_prefix)
        remove_shared_memory(self._command.shm_prefix)


@contextlib.contextmanager
def _output(log: Path | None) -> Iterator[IO[bytes] | None]:
    """Give the file for the output, None for the terminal; the last run's log is kept beside."""
    if log is None:
        yield None
        return
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    with log.open("wb") as file:
        yield file


def _guard_arguments(command: Command) -> list[str]:
    return [
        *(sys.executable, "-I", "-S", guard.__file__),
        *("--shm-prefix", command.shm_prefix),
        *("--grace-seconds", str(command.grace_seconds)),
        "--",
    ]


def _end_strays(shm_prefix: str) -> None:
    """Kill what outlived its guard; the prefix tells them apart from any other Triton's."""
    if not shm_prefix:
        return
    strays = [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(shm_prefix in argument for argument in process.info["cmdline"] or ())
        and Path(process.info["cmdline"][0]).name.startswith("triton")
    ]
    for process in strays:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(strays, timeout=KILL_SECONDS)

"""The loop of a child process: it answers tasks, within limits, and may be killed at any time."""

import ctypes
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from preprocess_service.errors import DocumentTooCostlyError
from preprocess_service.sandbox import channel

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
# What waits to be done is worth nothing to those for whom something is being done.
_NICENESS = 5
# Beyond the first, what is only cached is given back after an answer; beyond the second, the
# document too.
_MUCH_MEMORY, _TOO_MUCH_MEMORY = 128 << 20, 256 << 20
_TOO_MUCH_TO_TELL = "It tells more of itself than can be passed on."

#: What a task is answered with: a message, and a file that goes along.
Answer = tuple[dict[str, Any], int | None]


class Program(Protocol):
    """What a process does: it answers tasks, and may keep a document open between them."""

    def answer(self, message: channel.Message) -> Answer:
        """The answer to a task; a failure is one with `error` (its code) and `detail`."""
        ...

    def shrink(self) -> None:
        """Give back what is only cached."""
        ...

    def forget(self) -> None:
        """Close the document that is open."""
        ...


def serve(sock: socket.socket, program: Program) -> None:
    """Answer messages until the service hangs up."""
    while (message := channel.receive(sock)) is not None:
        started = time.process_time()
        body, fd = program.answer(message)
        body["processor_seconds"] = time.process_time() - started
        message.close()
        try:
            channel.send(sock, body, fd)
        except channel.MessageTooLongError:
            refusal = {"error": DocumentTooCostlyError.code, "detail": _TOO_MUCH_TO_TELL}
            channel.send(sock, {**refusal, "processor_seconds": body["processor_seconds"]})
        if fd is not None:
            os.close(fd)
        give_back_memory(program)


def give_back_memory(program: Program) -> None:
    """Free memory between two answers: the next task may be a day away."""
    libc = ctypes.CDLL(None)
    if _resident_bytes() > _MUCH_MEMORY:
        program.shrink()
        libc.malloc_trim(0)
    if _resident_bytes() > _TOO_MUCH_MEMORY:
        program.forget()
        libc.malloc_trim(0)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def restrict(memory_bytes: int) -> None:
    """Limit memory, files and privileges of this process, which ends when the service does."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    pages_in_use = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages_in_use * resource.getpagesize() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What it hands back lies in memory files.
    resource.setrlimit(resource.RLIMIT_FSIZE, (memory_bytes, memory_bytes))


def main(make_program: Callable[[], Program]) -> None:
    """Run as `python -m MODULE FD MEMORY_BYTES`, on this process's end of a socket pair."""
    fd, memory_bytes = map(int, sys.argv[1:])
    restrict(memory_bytes)
    with socket.socket(fileno=fd) as sock:
        program = make_program()
        channel.send(sock, {"ready": True})
        # Decoders in C write what they find in a file to standard error.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stderr.fileno())
        serve(sock, program)

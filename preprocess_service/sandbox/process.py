"""A child process, as the service sees it."""

import asyncio
import contextlib
import os
import socket
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO

from preprocess_service.errors import (
    DocumentTooCostlyError,
    InternalError,
    InvalidOptionsError,
    error_from_code,
)
from preprocess_service.sandbox import channel

_START_TIMEOUT_SECONDS = 60.0
# Decoders in C leak and fragment; a process that has done this many tasks is replaced.
_TASKS_PER_PROCESS = 2000
# What a process needs to start; secrets of the service are none of its business.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Task:
    """What is to be done with the file of a document.

    Attributes:
        name: One of those that the program of the process knows.
        document_id: Names the document among those in work: a process may have it open already.
        caller: Whose document it is, for taking turns.
        body: What the program is told beside the name, as JSON.
    """

    name: str
    document_id: str
    caller: str
    body: dict[str, Any]


class SandboxProcess:
    """A child process that does tasks; whatever happens there is one error here."""

    def __init__(self, process: asyncio.subprocess.Process, sock: socket.socket) -> None:
        self._process = process
        self._sock = sock
        self._awaits_reply = False
        self.document_id: str | None = None
        self._tasks = 0
        self._ran_out_of_memory = False
        #: What the last answer took.
        self.processor_seconds = 0.0

    @classmethod
    async def start(cls, program: str, memory_bytes: int) -> "SandboxProcess":
        """A process of that module (see `sandbox.worker.main`), ready for its first task."""
        try:
            process, ours = await _spawn(program, memory_bytes)
        except OSError as exc:  # too many files or processes, or no memory for one more
            raise InternalError("A rasterizing process cannot be started.") from exc
        started = cls(process, ours)
        started._awaits_reply = True
        try:
            await started._receive(_START_TIMEOUT_SECONDS)
        except BaseException as exc:
            await started.kill()
            if isinstance(exc, DocumentTooCostlyError):
                raise InternalError("A rasterizing process did not start.") from exc
            raise
        return started

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.returncode is None and self._sock.fileno() >= 0

    @property
    def is_worn(self) -> bool:
        """Whether it may hold memory that it cannot give back, so that another has to follow it."""
        return self._ran_out_of_memory or self._tasks >= _TASKS_PER_PROCESS

    @property
    def is_idle(self) -> bool:
        """Whether it can take the next message."""
        return self.is_alive and not self._awaits_reply

    async def run(
        self, task: Task, file: BinaryIO, timeout_seconds: float, attachment: bytes | None = None
    ) -> channel.Message:
        """The answer to a task, which the caller closes; see `SandboxPool.run` for the errors."""
        attached = None if attachment is None else channel.write_bytes(attachment)
        try:
            self._send(task, file.fileno(), attached)
        finally:
            if attached is not None:
                os.close(attached)
        reply = await self._receive(timeout_seconds)
        self.processor_seconds = reply.body["processor_seconds"]
        if "error" in reply.body:
            reply.close()
            # What was in work then hangs on the decoder's own records of the failure.
            self._ran_out_of_memory |= reply.body["error"] == DocumentTooCostlyError.code
            raise error_from_code(reply.body["error"], reply.body["detail"])
        return reply

    async def settle(self, grace_seconds: float) -> None:
        """Let go of what it was asked: wait for the unread reply, or end the process."""
        if self._awaits_reply:
            try:
                (await self._receive(grace_seconds)).close()
            except DocumentTooCostlyError:
                await self.kill()

    async def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._sock.close()
        await self._process.wait()

    def _send(self, task: Task, fd: int, attached: int | None) -> None:
        self.document_id, self.processor_seconds = task.document_id, 0.0
        try:
            channel.send(self._sock, {"task": task.name, **task.body}, fd, attached)
        except channel.MessageTooLongError as exc:
            raise InvalidOptionsError("The options are longer than can be passed on.") from exc
        except OSError as exc:
            raise _crashed() from exc
        self._awaits_reply = True
        self._tasks += 1

    async def _receive(self, timeout_seconds: float) -> channel.Message:
        try:
            await asyncio.wait_for(_readable(self._sock), timeout_seconds)
        except asyncio.TimeoutError as exc:
            raise DocumentTooCostlyError(
                f"Reading it takes longer than {timeout_seconds:g} s (PAGE_TIMEOUT)."
            ) from exc
        message = channel.receive(self._sock)
        if message is None:
            raise _crashed()
        self._awaits_reply = False
        return message


async def _spawn(
    program: str, memory_bytes: int
) -> tuple[asyncio.subprocess.Process, socket.socket]:
    """The process and this side's end of its channel."""
    ours, theirs = channel.make_pair()
    ours.setblocking(False)
    with theirs:
        fd = theirs.fileno()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", program, str(fd), str(memory_bytes),
                pass_fds=[fd], stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL, start_new_session=True,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )  # fmt: skip
        except BaseException:
            ours.close()
            raise
    return process, ours


def _crashed() -> DocumentTooCostlyError:
    return DocumentTooCostlyError("Reading it ended the process that tried.")


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(sock)

"""A warm pool of child processes; each does one task for any document at a time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import BinaryIO

from preprocess_service.problem import ServiceError
from preprocess_service.sandbox.channel import Message
from preprocess_service.sandbox.process import SandboxProcess, Task
from preprocess_service.sandbox.processor_time import Accounts, ProcessorTime
from preprocess_service.turns import Party, Room, Turns

# A task whose caller has gone may still come to its end, which is cheaper than a new process.
_GRACE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class SandboxPool:
    """Keeps `size` processes alive and lends them out task by task, so that none waits for long.

    Callers take turns, and in them their documents. One caller never has all processes, if there
    are several: tasks that take their time keep no other caller waiting.

    Several processes may work for a document at once; one that already has it open is preferred.
    """

    def __init__(
        self,
        program: str,
        size: int,
        memory_bytes: int,
        timeout_seconds: float,
        processor_time: ProcessorTime,
    ) -> None:
        """Nothing is started yet.

        Args:
            program: Module that each process runs; see `sandbox.worker.main`.
            size: Of the pool.
            memory_bytes: That each process may take beside what its start takes.
            timeout_seconds: For one task.
            processor_time: For all tasks of one document.
        """
        self._program = program
        self._size = size
        self._memory_bytes = memory_bytes
        self._timeout_seconds = timeout_seconds
        self._turns = Turns(Room(size), Room(max(1, size - 1)))
        self._accounts = Accounts(processor_time)
        self._idle: list[SandboxProcess] = []
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start every process; raises InternalError where that is impossible."""
        starts = (self._start_process() for _ in range(self._size))
        self._idle.extend(await asyncio.gather(*starts))

    async def close(self) -> None:
        """End every process."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await asyncio.gather(*(process.kill() for process in self._idle))
        self._idle.clear()

    @property
    def pids(self) -> set[int]:
        """Ids of the processes that wait for a task."""
        return {process.pid for process in self._idle}

    async def run(
        self,
        task: Task,
        file: BinaryIO,
        attachment: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> Message:
        """The answer to a task about a document, which the caller closes.

        Args:
            task: What is to be done.
            file: The document; a file of the operating system.
            attachment: More that goes along.
            timeout_seconds: How long it may take, if not as long as a page.

        Raises:
            DocumentTooCostlyError: It took too long or too much memory, or crashed its process, or
                the tasks before took too much of a processor.
            InvalidOptionsError: The task is longer than can be passed on.
            ServiceError: What the program answered.
        """
        async with self._lease(task) as process:
            seconds = timeout_seconds or self._timeout_seconds
            return await process.run(task, file, seconds, attachment)

    def longest_seconds(self, pages: int) -> float:
        """How long a task may take that handles so many pages of a document."""
        return min(self._timeout_seconds * (1 + pages), self._accounts.allowed.of(pages))

    @asynccontextmanager
    async def _lease(self, task: Task) -> AsyncIterator[SandboxProcess]:
        party, document_id = Party(task.caller, task.document_id), task.document_id
        await self._turns.take(party)
        try:
            self._accounts.require_left(document_id)
            process = self._take(document_id) or await self._start_process()
        except BaseException:
            self._turns.give_back(party)
            raise
        try:
            yield process
        finally:
            self._accounts.charge(document_id, process.processor_seconds)
            if process.is_idle and not process.is_worn:
                self._idle.append(process)
                self._turns.give_back(party)
            else:
                self._run_in_background(self._renew(process, party))

    async def _start_process(self) -> SandboxProcess:
        return await SandboxProcess.start(self._program, self._memory_bytes)

    def _take(self, document_id: str) -> SandboxProcess | None:
        """An idle process that lives, best one that has the document open."""
        self._idle = [process for process in self._idle if process.is_alive]
        if not self._idle:
            return None
        position = next(
            (i for i, idle in enumerate(self._idle) if idle.document_id == document_id), 0
        )
        return self._idle.pop(position)

    async def _renew(self, process: SandboxProcess, party: Party) -> None:
        """Make the place of a busy, dead or worn process usable again."""
        try:
            await process.settle(_GRACE_SECONDS)
            if not process.is_idle or process.is_worn:
                await process.kill()
                _log.info("rasterizing process replaced", extra={"pid": process.pid})
                process = await self._start_process()
            self._idle.append(process)
        except ServiceError:
            _log.exception("no rasterizing process could be started; the next page tries again")
        except asyncio.CancelledError:
            await process.kill()
            raise
        finally:
            self._turns.give_back(party)

    def _run_in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

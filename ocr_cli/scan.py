"""`ocr scan`: documents → results, several at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ocr_cli.client import Answer, OnPages
from ocr_cli.errors import DocumentError
from ocr_cli.outputs import Task, write_result
from ocr_cli.report import Report

Read = Callable[[Path, Mapping[str, str], OnPages], Awaitable[Answer]]


@dataclass
class Tally:
    """How many documents ended how."""

    read: int = 0
    partial: int = 0
    failed: int = 0

    @property
    def is_good(self) -> bool:
        """Whether every page of every document was read."""
        return not (self.partial or self.failed)


class _Turns:
    """Lets numbered tasks pass one after the other."""

    def __init__(self) -> None:
        self._next = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def take(self, number: int) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: self._next == number)
            try:
                yield
            finally:
                self._next += 1
                self._changed.notify_all()


class Scan:
    """Reads tasks with `read` and writes what it answers."""

    def __init__(self, read: Read, fields: Mapping[str, str], report: Report) -> None:
        self._read = read
        self._fields = fields
        self._report = report
        self._turns = _Turns()
        self.tally = Tally()

    async def run(self, tasks: Sequence[Task], parallel: int) -> Tally:
        """Read all of them, at most `parallel` at once.

        Raises:
            CliError: None of the others can be read either; those in work are given up.
        """
        numbered = enumerate(tasks)
        workers = [asyncio.create_task(self._work(numbered)) for _ in range(parallel)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return self.tally

    async def _work(self, numbered: Iterator[tuple[int, Task]]) -> None:
        for number, task in numbered:
            name = str(task.source)
            self._report.started(name)
            outcome = await self._try_read(task, name)
            if task.target is None:
                # On standard output, results stand in the order of their documents.
                async with self._turns.take(number):
                    message, is_good = self._finish(task, outcome)
            else:
                message, is_good = self._finish(task, outcome)
            self._report.ended(name, message, is_good=is_good)

    async def _try_read(self, task: Task, name: str) -> Answer | DocumentError:
        def on_pages(done: int, total: int) -> None:
            self._report.pages(name, done, total)

        try:
            return await self._read(task.source, self._fields, on_pages)
        except DocumentError as exc:
            return exc

    def _finish(self, task: Task, outcome: Answer | DocumentError) -> tuple[str, bool]:
        if isinstance(outcome, Answer):
            try:
                with self._report.aside():
                    write_result(task, outcome.body)
            except OSError as exc:
                outcome = DocumentError(f"its result cannot be written: {exc.strerror or exc}")
        if isinstance(outcome, DocumentError):
            self.tally.failed += 1
            return str(outcome), False
        self.tally.read += 1
        where = f"→ {task.target}" if task.target else "read"
        if outcome.is_partial:
            self.tally.partial += 1
            return f"{where}, without pages that failed: `-f json` says why", False
        return where, True

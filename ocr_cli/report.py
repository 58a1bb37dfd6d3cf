"""What happens, told on standard error: bars on a terminal, one line per document elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class Report(Protocol):
    """Hears of every document, within a `with` block."""

    def __enter__(self) -> "Report":
        """Begin."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Leave the terminal as it was."""
        ...

    def started(self, name: str) -> None:
        """The document is being sent."""
        ...

    def pages(self, name: str, done: int, total: int) -> None:
        """So many of its pages are read."""
        ...

    def ended(self, name: str, message: str, *, is_good: bool) -> None:
        """It was read, or not."""
        ...

    def aside(self) -> AbstractContextManager[None]:
        """Within the block, the terminal belongs to somebody else."""
        ...


class LineReport:
    """A numbered line for each document that ended."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._ended = 0

    def __enter__(self) -> "LineReport":
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is open."""

    def started(self, name: str) -> None:
        """Says nothing: a log tells what is done."""

    def pages(self, name: str, done: int, total: int) -> None:
        """Says nothing, for the same reason."""

    def ended(self, name: str, message: str, *, is_good: bool) -> None:
        """Print the line."""
        self._ended += 1
        word = "" if is_good else "FAILED "
        sys.stderr.write(f"[{self._ended}/{self._total}] {word}{name}: {message}\n")
        sys.stderr.flush()

    def aside(self) -> AbstractContextManager[None]:
        """Lines disturb nobody."""
        return nullcontext()


class BarReport:
    """A bar over all documents, and one for each that is being read."""

    def __init__(self, total: int, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._all = self._progress.add_task("documents", total=total)
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> "BarReport":
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def started(self, name: str) -> None:
        """Show a bar that moves until the number of pages is known."""
        self._bars[name] = self._progress.add_task(name, total=None)

    def pages(self, name: str, done: int, total: int) -> None:
        """Move the document's bar."""
        self._progress.update(self._bars[name], completed=done, total=total)

    def ended(self, name: str, message: str, *, is_good: bool) -> None:
        """Take the document's bar away; only failures leave a line."""
        self._progress.remove_task(self._bars.pop(name))
        self._progress.advance(self._all)
        if not is_good:
            self._progress.console.print(Text(f"{name}: {message}", style="red"))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bars away for a while."""
        self._progress.stop()
        yield
        self._progress.start()


def make_report(total: int) -> Report:
    """The report that suits standard error."""
    console = Console(stderr=True)
    return BarReport(total, console) if console.is_terminal else LineReport(total)

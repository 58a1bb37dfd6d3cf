"""Memory that the processes of the stack hold, and whether they give it back."""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

#: A process may keep a tenth more than before, and all may; allocators keep some pieces too.
SHARE, PIECES = 0.1, 32 << 20
_SECONDS = 60


class Memory:
    """Resident memory of a process and all below it, in bytes, by process."""

    def __init__(self, family: psutil.Process) -> None:
        self._family = family
        self.peak = 0

    def held(self) -> dict[psutil.Process, int]:
        """What each holds now; pages that they share count in each."""
        held = {}
        for process in (self._family, *self._family.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                held[process] = process.memory_info().rss
        self.peak = max(self.peak, sum(held.values()))
        return held

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look for the peak until the block ends."""
        ended, self.peak = threading.Event(), 0

        def look() -> None:
            while not ended.wait(0.25):
                self.held()

        looking = threading.Thread(target=look)
        looking.start()
        try:
            yield
        finally:
            ended.set()
            looking.join()
            self.held()

    def after(self, before: dict[psutil.Process, int]) -> dict[psutil.Process, int]:
        """What is held once all of it is back, or after a minute."""
        ends = time.monotonic() + _SECONDS
        while (held := self.held()) and kept(before, held) and time.monotonic() < ends:
            time.sleep(0.5)
        return held


def kept(before: dict[psutil.Process, int], after: dict[psutil.Process, int]) -> list[str]:
    """Who holds more than it may after it held what is told.

    One that was replaced shortly before is small, and grows to what others of its program held.
    """
    most: dict[tuple[str, ...], int] = {}
    for process, held in before.items():
        most[_program(process)] = max(held, most.get(_program(process), 0))
    found = [
        f"{' '.join(process.cmdline())[-90:]}: {before[process] >> 20} to {held >> 20} MiB"
        for process, held in after.items()
        if process in before and held > most[_program(process)] * (1 + SHARE) + PIECES
    ]
    was, now = sum(before.values()), sum(after.values())
    return [*found, *([f"all: {was >> 20} to {now >> 20} MiB"] if now > was * (1 + SHARE) else [])]


def _program(process: psutil.Process) -> tuple[str, ...]:
    """What it runs, without its arguments; those that have ended count by themselves."""
    try:
        return tuple(process.cmdline()[:3])
    except psutil.NoSuchProcess:
        return (str(process.pid),)

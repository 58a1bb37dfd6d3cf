"""The most memory that a stack's processes held together, shared pages counted once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

SAMPLE_SECONDS = 0.2


@dataclass
class PeakMemory:
    """Bytes; proportional set size, so that pixels shared by two processes count once."""

    peak: int = 0

    def sample(self) -> None:
        """Take what all processes below this one hold now into account."""
        held = 0
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                held += process.memory_full_info().pss
        self.peak = max(self.peak, held)


@contextmanager
def watched_memory() -> Iterator[PeakMemory]:
    """Yield a peak that is kept up to date until the block ends."""
    memory, ended = PeakMemory(), threading.Event()

    def sample_on() -> None:
        memory.sample()
        while not ended.wait(SAMPLE_SECONDS):
            memory.sample()

    thread = threading.Thread(target=sample_on, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()

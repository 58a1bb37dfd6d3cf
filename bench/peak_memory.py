"""The most memory that a stack's processes held together, shared pages counted once."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.2


@dataclass
class PeakMemory:
    """Bytes; the processes' own share, and all of the machine's shared memory.

    A page that waits lies in a memory file that no process has mapped: none accounts for it.
    """

    peak: int = 0

    def sample(self) -> None:
        """Take what all processes below this one hold now into account."""
        held = psutil.virtual_memory().shared
        for process in psutil.Process().children(recursive=True):
            with suppress(OSError):
                held += _own_bytes(process.pid)
        self.peak = max(self.peak, held)


def _own_bytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    kilobytes = dict(re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE))
    return 1024 * (int(kilobytes["Pss"]) - int(kilobytes["Pss_Shmem"]))


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

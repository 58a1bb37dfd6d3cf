"""Many requests through a fresh stack: none may fail, and no process may keep growing."""

import argparse
import itertools
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.own_stack import running_stack
from ocr_base.reading import STRATEGIES
from ocr_base.version import API
from quality.drawn.folder import draw_folder
from quality.items import load_items

MEBIBYTE = 1 << 20
SAMPLE_SECONDS = 1.0


@dataclass
class MemoryLog:
    """Resident memory of every process below this one, in bytes, over time."""

    samples: dict[int, list[int]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def sample(self) -> None:
        """Note what every process holds now."""
        for process in psutil.Process().children(recursive=True):
            try:
                resident = process.memory_info().rss
                self.names.setdefault(process.pid, process_name(process.cmdline()))
            except psutil.NoSuchProcess:
                continue
            self.samples.setdefault(process.pid, []).append(resident)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take samples until the block ends."""
        ended = threading.Event()

        def sample_on() -> None:
            while not ended.wait(SAMPLE_SECONDS):
                self.sample()

        thread = threading.Thread(target=sample_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def process_name(command: Sequence[str]) -> str:
    """Return what a process of the stack is, in a word or two."""
    line = " ".join(command)
    if "stub" in line and (model := re.search(r"model_repository/(\w+)/", line)):
        return model.group(1)
    for word in ("tritonserver", "guard", "preprocess_service", "embedded", "spawn"):
        if word in line:
            return word
    return command[0] if command else "?"


def growth(samples: Sequence[int]) -> float:
    """Return by what share memory grew over the second half: its last quarter over its first."""
    half = samples[len(samples) // 2 :]
    quarter = max(1, len(half) // 2)
    first, last = half[:quarter], half[-quarter:]
    return (sum(last) / len(last)) / (sum(first) / len(first)) - 1


def run_soak(words: Sequence[str]) -> int:
    """Run ``python -m bench soak``; returns 1 if a request failed."""
    options = _parser().parse_args(words)
    folder = Path(".bench")
    uploads = [item.path for item in load_items(draw_folder(folder / "drawn"))]
    memory = MemoryLog()
    with running_stack(folder, concurrency=options.concurrency) as url, memory.running():
        outcomes = _send(url, uploads, options)
    console = Console(width=100)
    console.print(_table(memory))
    console.print(f"{options.requests} requests at concurrency {options.concurrency}: {outcomes}")
    return 0 if set(outcomes) == {200} else 1


def _send(url: str, uploads: Sequence[Path], options: argparse.Namespace) -> dict[int, int]:
    with (
        httpx.Client(base_url=url, timeout=600) as client,
        ThreadPoolExecutor(options.concurrency) as pool,
    ):

        def read(path: Path) -> int:
            files = {"file": (path.name, path.read_bytes())}
            data = {"strategy": options.strategy}
            return client.post(f"{API}/ocr/process", files=files, data=data).status_code

        paths = itertools.islice(itertools.cycle(uploads), options.requests)
        statuses = track(pool.map(read, paths), "Requests", options.requests)
        return dict(Counter(statuses))


def _table(memory: MemoryLog) -> Table:
    table = Table("process", "MiB at the end", "growth over the second half")
    for pid, samples in sorted(memory.samples.items(), key=lambda pair: -pair[1][-1]):
        if len(samples) > 8:
            share = f"{growth(samples):+.1%}"
            table.add_row(memory.names[pid], f"{samples[-1] / MEBIBYTE:.0f}", share)
    totals = [sum(column) for column in zip(*_aligned(memory), strict=True)]
    table.add_row("all", f"{totals[-1] / MEBIBYTE:.0f}", f"{growth(totals):+.1%}")
    return table


def _aligned(memory: MemoryLog) -> list[list[int]]:
    longest = max(map(len, memory.samples.values()))
    return [samples for samples in memory.samples.values() if len(samples) == longest]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=500, metavar="N", help="how many (500)")
    parser.add_argument("--concurrency", type=int, default=8, metavar="N", help="at once (8)")
    parser.add_argument("--strategy", choices=STRATEGIES, default="speed", help="(%(default)s)")
    return parser

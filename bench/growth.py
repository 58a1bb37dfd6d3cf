"""How the stack grows: requests at once, pages, pixels, lines, and what happens past capacity."""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.measuring import open_client
from bench.own_stack import running_stack
from bench.peak_memory import watched_memory
from ocr_base.machine import usable_cores
from ocr_base.reading import STRATEGIES
from ocr_base.version import API
from quality.drawn.scans import draw_scan
from quality.drawn.sizes import draw_image

FOLDER = Path(".bench")
MEBIBYTE = 1 << 20
CONCURRENCIES = (1, 2, 4, 8, 16, 32, 64)
PAGES = (1, 5, 20, 100, 500)
MEGAPIXELS = (0.1, 0.5, 2, 10, 25, 50)
LINES = (0, 10, 50, 200, 1000)
SCANS = (1, 2, 5, 10, 25)
CAPACITY = 64
"""Documents in work at once that the stack of this measurement admits."""


@dataclass(frozen=True)
class Step:
    """One point of a curve: these uploads, `at_once` at a time."""

    curve: str
    value: str
    uploads: Sequence[Path]
    at_once: int


@dataclass(frozen=True)
class Outcome:
    """Rates over the step's whole time; seconds of each request, ascending; peak bytes."""

    step: Step
    pages: int
    seconds: float
    latencies: Sequence[float]
    statuses: dict[int, int]
    peak_bytes: int


def run_growth(words: Sequence[str]) -> int:
    """Run ``python -m bench growth``; returns 1 if a request failed."""
    options = _parser().parse_args(words)
    steps = [step for curve in options.curves for step in CURVES[curve]()]
    with (
        running_stack(FOLDER, concurrency=CAPACITY) as url,
        open_client(url, 3 * CAPACITY) as client,
    ):
        _send(client, options.strategy, Step("", "", [_scan(5)] * 4, 4))
        progress = track(steps, "Curves", console=Console(stderr=True))
        outcomes = [_send(client, options.strategy, step) for step in progress]
    table = _table(outcomes)
    Console(width=110).print(table)
    options.output.write_text(_markdown(table), encoding="utf-8")
    expected = {200, 429}
    return 0 if all(set(outcome.statuses) <= expected for outcome in outcomes) else 1


def _concurrency() -> Iterator[Step]:
    for at_once in CONCURRENCIES:
        yield Step("requests at once", str(at_once), [_scan(1)] * max(24, 2 * at_once), at_once)


def _scans() -> Iterator[Step]:
    for pages in SCANS:
        count = max(6, 24 // pages)
        yield Step("dense scans, pages each", str(pages), [_scan(pages)] * count, 4)


def _pages() -> Iterator[Step]:
    for pages in PAGES:
        yield Step("one document, pages", str(pages), [_scan(pages)], 1)


def _pixels() -> Iterator[Step]:
    for size in MEGAPIXELS:
        path = draw_image(FOLDER / "growth" / f"{size}mp.jpg", megapixels=size, lines=40)
        yield Step("image, megapixels", str(size), [path] * 8, 2)


def _lines() -> Iterator[Step]:
    for lines in LINES:
        path = draw_image(FOLDER / "growth" / f"{lines}lines.jpg", megapixels=4, lines=lines)
        yield Step("lines of a page", str(lines), [path] * 8, 2)


def _capacity() -> Iterator[Step]:
    for factor in (1, 3):
        at_once = factor * CAPACITY
        yield Step("at once, room for 64", str(at_once), [_scan(1)] * at_once, at_once)


CURVES: dict[str, Callable[[], Iterator[Step]]] = {
    "concurrency": _concurrency,
    "scans": _scans,
    "pages": _pages,
    "pixels": _pixels,
    "lines": _lines,
    "capacity": _capacity,
}


def _scan(pages: int) -> Path:
    path = FOLDER / "growth" / f"{pages}.pdf"
    return path if path.is_file() else draw_scan(path, pages)


def _send(client: httpx.Client, strategy: str, step: Step) -> Outcome:
    data = {"strategy": strategy, "language": "de,fr,es", "text_layer": "ignore"}

    def read(path: Path) -> tuple[int, int, float]:
        started = time.perf_counter()
        files = {"file": (path.name, path.read_bytes())}
        answer = client.post(f"{API}/ocr/process", files=files, data=data)
        seconds = time.perf_counter() - started
        if answer.status_code != httpx.codes.OK:
            return answer.status_code, 0, seconds
        document = answer.json()
        if document.get("cache_hit"):
            raise RuntimeError("answered from the cache: measure a server without one")
        return answer.status_code, len(document["pages"]), seconds

    started = time.perf_counter()
    with watched_memory() as memory, ThreadPoolExecutor(step.at_once) as pool:
        answers = list(pool.map(read, step.uploads))
    return Outcome(
        step,
        pages=sum(pages for _, pages, _ in answers),
        seconds=time.perf_counter() - started,
        latencies=sorted(seconds for _, _, seconds in answers),
        statuses=dict(Counter(status for status, _, _ in answers)),
        peak_bytes=memory.peak,
    )


def _table(outcomes: Sequence[Outcome]) -> Table:
    columns = ("curve", "at", "pages/s", "pages/s/core", "median s", "slowest s", "peak MiB")
    table = Table(*columns, "answers")
    for outcome in outcomes:
        rate = outcome.pages / outcome.seconds
        table.add_row(
            outcome.step.curve,
            outcome.step.value,
            f"{rate:.2f}",
            f"{rate / usable_cores():.2f}",
            f"{median(outcome.latencies):.2f}",
            f"{outcome.latencies[-1]:.2f}",
            f"{outcome.peak_bytes / MEBIBYTE:.0f}",
            ", ".join(f"{n} x {status}" for status, n in sorted(outcome.statuses.items())),
        )
    return table


def _markdown(table: Table) -> str:
    heads = [str(column.header) for column in table.columns]
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    rows = [heads, ["---"] * len(heads), *map(list, zip(*cells, strict=True))]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench growth", description=__doc__)
    parser.add_argument("--curves", nargs="+", choices=CURVES, default=list(CURVES),
                        help="which to measure (all, about ten minutes)")  # fmt: skip
    parser.add_argument("--strategy", choices=STRATEGIES, default="speed", help="(%(default)s)")
    parser.add_argument("--output", type=Path, default=FOLDER / "growth.md", metavar="FILE.md")
    return parser

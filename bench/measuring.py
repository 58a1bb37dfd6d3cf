"""Engines one after the other, each with the machine to itself."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.in_process import InProcessEngine
from bench.own_stack import running_stack
from bench.peer_engine import find_best_split, splits, start_peer
from bench.reading import Advance, Engine, EngineFailedError, EngineUnavailableError, Reading
from bench.server_engine import ServerEngine
from ocr_base.machine import usable_cores
from quality.items import Item

SAMPLE_PAGES = 6
"""Pages of the unmeasured first pass, and of the trial of a peer's processes."""


@dataclass(frozen=True)
class Plan:
    """What is measured, and how."""

    items: Sequence[Item]
    peers: Sequence[str]
    strategies: Sequence[str]
    server_options: Mapping[str, str]
    in_process: Sequence[str]
    runs: int
    concurrency: int
    one_at_a_time: bool
    base_url: str | None
    work_folder: Path
    peer_python: Path

    def sample(self, pages: int = SAMPLE_PAGES) -> list[Item]:
        """Return about so many items, spread evenly over all."""
        return list(self.items[:: max(1, len(self.items) // pages)])[:pages]


@dataclass
class Measurement:
    """One engine's passes; none if it is not installed here or did not start."""

    name: str
    is_ours: bool
    version: str = ""
    setup: str = ""
    readings: list[Reading] = field(default_factory=list)
    unavailable: str | None = None
    failure: str | None = None

    @property
    def pages_per_second(self) -> float:
        """The median of the passes."""
        return median(reading.pages_per_second for reading in self.readings)

    @property
    def errors(self) -> dict[str, str]:
        """What failed in any pass: items by their id, the engine itself by its name."""
        found = {key: text for reading in self.readings for key, text in reading.errors.items()}
        return found | ({self.name: self.failure} if self.failure else {})


def measure(plan: Plan, console: Console) -> list[Measurement]:
    """Return a measurement for each strategy of the server, then without it, then for each peer."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        ours = _measure_server(plan, progress) if plan.strategies else []
        ours += [_measure_in_process(plan, strategy, progress) for strategy in plan.in_process]
        return ours + [_measure_peer(plan, peer, progress) for peer in plan.peers]


def _measure_server(plan: Plan, progress: Progress) -> list[Measurement]:
    ours = [Measurement(f"server {strategy}", is_ours=True) for strategy in plan.strategies]
    concurrency = 1 if plan.one_at_a_time else plan.concurrency
    try:
        with ExitStack() as stack:
            with _counting(progress, "server: starting", 1):
                url = plan.base_url or stack.enter_context(
                    running_stack(plan.work_folder, concurrency=concurrency)
                )
            client = stack.enter_context(open_client(url, concurrency))
            for strategy, measurement in zip(plan.strategies, ours, strict=True):
                engine = ServerEngine(
                    client, strategy, concurrency=concurrency, options=plan.server_options
                )
                _run(engine, measurement, plan, progress)
    except EngineFailedError as exc:
        for measurement in ours:
            measurement.failure = None if measurement.readings else str(exc)
    return ours


def _measure_in_process(plan: Plan, strategy: str, progress: Progress) -> Measurement:
    """Measure what the server's models and code do without HTTP, gRPC, Triton and their copies."""
    measurement = Measurement(f"in-process {strategy}", is_ours=False)
    threads = 1 if plan.one_at_a_time else usable_cores()
    _run(InProcessEngine(strategy, threads=threads), measurement, plan, progress)
    return measurement


def _measure_peer(plan: Plan, peer: str, progress: Progress) -> Measurement:
    measurement = Measurement(peer, is_ours=False)
    cores = usable_cores()
    try:
        processes = 1 if plan.one_at_a_time else _choose_processes(plan, peer, progress)
        with start_peer(plan.peer_python, peer, processes=processes, cores=cores) as engine:
            _run(engine, measurement, plan, progress)
    except EngineUnavailableError as exc:
        measurement.unavailable = str(exc)
    except EngineFailedError as exc:
        measurement.failure = str(exc)
    return measurement


def _choose_processes(plan: Plan, peer: str, progress: Progress) -> int:
    cores, sample = usable_cores(), plan.sample(max(SAMPLE_PAGES, usable_cores()))
    description = f"{peer}: finding its best number of processes"
    with _counting(progress, description, len(sample) * len(splits(cores))) as advance:
        return find_best_split(plan.peer_python, peer, sample, cores=cores, advance=advance)


def _run(engine: Engine, measurement: Measurement, plan: Plan, progress: Progress) -> None:
    measurement.version, measurement.setup = engine.version, engine.setup
    # Every process must have read a page before the clock starts: the first one costs more.
    sample = plan.sample(max(SAMPLE_PAGES, usable_cores()))
    with _counting(progress, f"{measurement.name}: warming up", len(sample)) as advance:
        engine.read(sample, advance)
    for run in range(1, plan.runs + 1):
        description = f"{measurement.name}: run {run} of {plan.runs}"
        with _counting(progress, description, len(plan.items)) as advance:
            measurement.readings.append(engine.read(plan.items, advance))


def open_client(url: str, concurrency: int) -> httpx.Client:
    """Return a client without deadlines of its own: the stack has them."""
    limits = httpx.Limits(max_connections=concurrency)
    return httpx.Client(base_url=url, timeout=None, limits=limits)  # noqa: S113 - see own_stack


@contextmanager
def _counting(progress: Progress, description: str, total: int) -> Iterator[Advance]:
    task = progress.add_task(description, total=total)
    yield lambda count: progress.advance(task, count)
    progress.update(task, completed=total)

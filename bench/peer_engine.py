"""Peers as engines: workers in the peers' environment, fed page by page."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

from bench.reading import Advance, EngineFailedError, EngineUnavailableError, Reading
from ocr_base.places import CHECKOUT
from quality.items import Item
from quality.predictions import Line


class PeerWorker:
    """One worker process; see `bench.peers.worker` for what is said."""

    def __init__(self, python: Path, peer: str, threads: int) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "bench.peers.worker", peer, "--threads", str(threads)],
            cwd=CHECKOUT,
            # OpenMP and OpenBLAS would take every core, whatever the engine is told.
            env=os.environ | {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def wait_until_loaded(self) -> str:
        """Return the peer's version once its models are loaded."""
        greeting = self._receive()
        if "unavailable" in greeting:
            raise EngineUnavailableError(greeting["unavailable"])
        return cast(str, greeting["version"])

    def read(self, item: Item) -> list[Line] | None:
        """Return the item's lines in its own frame.

        Raises:
            EngineFailedError: The peer failed on this page, or the worker died.
        """
        path = str(item.path.resolve())
        self._send({"path": path, "page": item.page_number, "language": item.language})
        reply = self._receive()
        if "error" in reply:
            raise EngineFailedError(reply["error"])
        if reply["lines"] is None:
            return None
        x_scale, y_scale = item.width / reply["width"], item.height / reply["height"]
        return [Line.from_dict(line).scaled(x_scale, y_scale) for line in reply["lines"]]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _send(self, message: dict[str, Any]) -> None:
        if self._process.stdin is None:
            raise EngineFailedError("the worker has no input")
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            raise EngineFailedError("the worker died") from exc

    def _receive(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise EngineFailedError(f"the worker ended with status {self._process.wait()}")
        return cast(dict[str, Any], json.loads(line))


class PeerEngine:
    """A peer in one or more processes that share the cores."""

    def __init__(self, workers: Sequence[PeerWorker], version: str, threads: int) -> None:
        self.version = version
        self.setup = f"{len(workers)} x {threads} threads"
        self._size = len(workers)
        self._free: SimpleQueue[PeerWorker] = SimpleQueue()
        for worker in workers:
            self._free.put(worker)

    def read(self, items: Sequence[Item], advance: Advance) -> Reading:
        """See `Engine`; each page goes to the next free process."""
        reading = Reading()
        started = time.perf_counter()
        with ThreadPoolExecutor(self._size) as pool:
            for _ in pool.map(lambda item: self._read_item(item, reading), items):
                advance(1)
        reading.seconds = time.perf_counter() - started
        reading.pages = len(reading.predictions)
        return reading

    def _read_item(self, item: Item, reading: Reading) -> None:
        worker = self._free.get()
        try:
            reading.predictions[item.item_id] = worker.read(item)
        except EngineFailedError as exc:
            reading.errors[item.item_id] = str(exc)
        finally:
            self._free.put(worker)


@contextmanager
def start_peer(python: Path, peer: str, *, processes: int, cores: int) -> Iterator[PeerEngine]:
    """Yield the peer with its models loaded, its processes sharing the cores evenly.

    Raises:
        EngineUnavailableError: The peer is not installed.
        EngineFailedError: A worker did not come up.
    """
    threads = max(1, cores // processes)
    with ExitStack() as stack:
        workers = [PeerWorker(python, peer, threads) for _ in range(processes)]
        for worker in workers:
            stack.callback(worker.close)
        versions = [worker.wait_until_loaded() for worker in workers]
        yield PeerEngine(workers, versions[0], threads)


def splits(cores: int) -> list[int]:
    """Return the numbers of processes worth trying: all cores on one page … one page per core."""
    return sorted({1, max(1, cores // 4), min(cores, 32)})


def find_best_split(
    python: Path, peer: str, sample: Sequence[Item], *, cores: int, advance: Advance
) -> int:
    """Return the number of processes that reads the sample fastest.

    Each split reads the sample once unmeasured, as the first page costs more than the others.
    """
    speeds: dict[int, float] = {}
    for processes in splits(cores):
        with start_peer(python, peer, processes=processes, cores=cores) as engine:
            engine.read(sample[:processes], lambda _: None)
            speeds[processes] = engine.read(sample, advance).pages_per_second
    return max(speeds, key=lambda processes: speeds[processes])

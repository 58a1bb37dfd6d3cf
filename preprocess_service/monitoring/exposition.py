"""The metrics of all service processes as one."""

import os
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Metric, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from preprocess_service.settings import SettingsError

# Read by prometheus_client when it is imported: it must stand before a process starts.
_SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def share_metrics(data_dir: Path, port: int) -> None:
    """Have the processes that this one starts count together; forgets what an earlier start left.

    Several services may share `data_dir`: the folder is named after the host and the port.
    """
    folder = (data_dir / "metrics" / f"{socket.gethostname()}-{port}").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[_SHARED_FOLDER] = str(folder)


def make_registry(*collectors: Collector) -> CollectorRegistry:
    """Everything that `/metrics` shows: the service's metrics and those of `collectors`."""
    registry = CollectorRegistry()
    registry.register(_OwnMetrics())
    for collector in collectors:
        registry.register(collector)
    return registry


@contextmanager
def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> Iterator[None]:
    """Show the metrics at `/metrics` of that port during the block; at none for port 0.

    Raises:
        SettingsError: The port cannot be used.
    """
    if port == 0:
        yield
        return
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as exc:
        raise SettingsError(f"WORKER_METRICS_PORT: {host}:{port} cannot be used: {exc}.") from exc
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _OwnMetrics(Collector):
    """This process's metrics, or those of all that share a folder with it."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        folder = os.environ.get(_SHARED_FOLDER)
        if not folder:
            return REGISTRY.collect()
        _forget_the_dead(Path(folder))
        shared = CollectorRegistry()
        MultiProcessCollector(shared, folder)  # type: ignore[no-untyped-call]
        return shared.collect()


def _forget_the_dead(folder: Path) -> None:
    """What was in work in a process that was killed is not in work any more."""
    pids = {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}
    for pid in pids:
        if not Path("/proc", pid).exists():
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]

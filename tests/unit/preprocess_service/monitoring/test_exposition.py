import socket
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from preprocess_service.monitoring.exposition import serve_metrics, share_metrics
from preprocess_service.settings import SettingsError


def test_a_worker_shows_its_metrics_while_it_works(unused_tcp_port):
    registry = CollectorRegistry()
    Counter("jobs", "", registry=registry).inc(3)
    url = f"http://127.0.0.1:{unused_tcp_port}/metrics"
    with serve_metrics(registry, "127.0.0.1", unused_tcp_port):
        assert "jobs_total 3.0\n" in httpx.get(url).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(SettingsError, match=f"WORKER_METRICS_PORT: 127.0.0.1:{port} cannot"),
            serve_metrics(CollectorRegistry(), "127.0.0.1", port),
        ):
            pass


def test_port_0_shows_nothing():
    with serve_metrics(CollectorRegistry(), "no such host", 0):
        pass


def test_a_start_forgets_what_an_earlier_one_left_and_nothing_of_its_neighbors(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    share_metrics(tmp_path, 8000)
    share_metrics(tmp_path, 9000)
    folders = {
        folder.name.rpartition("-")[2]: folder for folder in (tmp_path / "metrics").iterdir()
    }
    for folder in folders.values():
        (folder / "counter_1.db").touch()
    share_metrics(tmp_path, 8000)
    assert _names(folders["8000"]) == []
    assert _names(folders["9000"]) == ["counter_1.db"]


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]

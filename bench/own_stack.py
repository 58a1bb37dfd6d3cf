"""The embedded stack, started for the benchmark and stopped after it."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx

from bench.reading import EngineFailedError
from ocr_base.places import CHECKOUT

_POLL_SECONDS = 0.5
_PORTS = ("PORT", "TRITON_GRPC_PORT", "TRITON_METRICS_PORT", "TRITON_HTTP_PORT")
# A benchmark waits for a slow machine instead of failing on it.
_PATIENCE = {
    "REQUEST_TIMEOUT": "86400",
    "TRITON_TIMEOUT": "86400",
    "TRITON_STARTUP_TIMEOUT": "86400",
    "PAGE_TIMEOUT": "3600",
}


@contextmanager
def running_stack(folder: Path, *, concurrency: int) -> Iterator[str]:
    """Yield the URL of a stack of our own on free ports; its log goes to ``server.log``.

    Raises:
        EngineFailedError: The stack ended before it was ready, or another one of ours runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log_path = folder / "server.log"
    ports = dict(zip(_PORTS, find_free_ports(len(_PORTS)), strict=True))
    settings = _PATIENCE | {name: str(port) for name, port in ports.items()}
    settings["RUNTIME_DIR"] = str(folder.resolve() / "runtime")
    settings["MAX_CONCURRENT_DOCUMENTS"] = str(max(64, concurrency))
    settings["CACHE_TTL"] = "0"  # every answer is read
    with _exclusive(folder), log_path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "embedded", "serve"],
            cwd=CHECKOUT,
            env=os.environ | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{ports['PORT']}"
            _wait_until_ready(process, url, log_path)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Two measurements at once would each measure half a machine."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise EngineFailedError(f"another benchmark runs in {folder}") from exc
        yield


def find_free_ports(count: int) -> list[int]:
    """Return ports of this machine that were free a moment ago, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log_path: Path) -> None:
    while process.poll() is None:
        if _is_ready(url):
            return
        time.sleep(_POLL_SECONDS)
    last_lines = "\n".join(log_path.read_text(errors="replace").splitlines()[-5:])
    raise EngineFailedError(f"the embedded stack did not start ({log_path}):\n{last_lines}")


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready").status_code == HTTPStatus.OK
    except httpx.HTTPError:
        return False

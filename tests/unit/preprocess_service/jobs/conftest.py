"""Jobs against a real Valkey: one server for all tests, emptied before each."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pymupdf
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from preprocess_service.cancellation import cancel_until_done
from preprocess_service.settings import Settings
from preprocess_service.wiring import Web, run_worker
from tests.fakes import FakeEngine
from tests.unit.preprocess_service.conftest import open_client
from tests.unit.preprocess_service.jobs.worker_process import no_download
from tests.unit.preprocess_service.valkey import ValkeyProcess

CHECKOUT = Path(__file__).parents[4]
JOBS = "/api/v1/jobs"


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyProcess]:
    process = ValkeyProcess(tmp_path_factory.mktemp("valkey"))
    process.start()
    yield process
    process.stop()


@pytest_asyncio.fixture
async def redis(valkey: ValkeyProcess) -> AsyncIterator[Redis]:
    """The server's data, empty at first."""
    async with Redis.from_url(valkey.url) as client:
        await client.flushall()
        yield client


@pytest.fixture
def settings(valkey: ValkeyProcess, tmp_path: Path) -> Settings:
    return Settings(
        redis_url=valkey.url,
        data_dir=tmp_path / "data",
        rasterizer_processes=1,
        max_file_size_mb=2,
        pdf_max_pages=50,
        cache_ttl=0,
        job_lease=1,
        webhook_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest_asyncio.fixture
async def client(
    settings: Settings, engine: FakeEngine, redis: Redis
) -> AsyncIterator[httpx.AsyncClient]:
    """The service without any worker."""
    async with open_client(settings, engine) as client:
        yield client


@pytest_asyncio.fixture
async def worker(settings: Settings, engine: FakeEngine, redis: Redis) -> AsyncIterator[None]:
    """A worker in this process, reading with `engine`."""
    async with running_worker(settings, engine):
        yield


@asynccontextmanager
async def running_worker(
    settings: Settings, engine: FakeEngine, web: Web | None = None
) -> AsyncIterator[None]:
    web = web or Web(httpx.AsyncClient(), no_download)
    task = asyncio.create_task(run_worker(settings, engine, web))
    try:
        yield
    finally:
        if engine.gate is not None:
            engine.gate.set()  # nothing waits for a page that never comes
        task.cancel()
        # Once may be lost (see `cancel_until_done`), and more would cut its cleaning up short.
        await asyncio.wait({task}, timeout=10)
        await cancel_until_done(task)


def numbered_pdf(pages: int) -> bytes:
    """A PDF whose pages all differ in width."""
    with pymupdf.open() as pdf:
        for number in range(1, pages + 1):
            pdf.new_page(width=100 + number * 6, height=60).insert_text((5, 30), str(number))
        return bytes(pdf.tobytes())


async def submit(client: httpx.AsyncClient, pdf: bytes, **options: str) -> str:
    answer = await client.post(
        f"{JOBS}/submit",
        files={"file": ("a.pdf", pdf)},
        data={"text_layer": "ignore", **options},
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


async def finished(client: httpx.AsyncClient, job_id: str) -> dict:
    answer = await client.get(f"{JOBS}/{job_id}/status", params={"wait": 20})
    assert answer.json()["finished_at"], answer.text
    return dict(answer.json())


async def until(condition: Callable[[], Awaitable[object] | object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if await value if isinstance(value, Awaitable) else value:
            return
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


class WorkerProcess:
    """A worker of its own, to be killed."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._folder = folder
        assert settings.redis_url is not None
        self._environment = {
            **os.environ,
            "REDIS_URL": settings.redis_url.get_secret_value(),
            "DATA_DIR": str(settings.data_dir),
            "JOB_LEASE": "1",
            "RASTERIZER_PROCESSES": "1",
            "DOCUMENT_PAGES_IN_FLIGHT": "2",
            "PYTHONPATH": str(CHECKOUT),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", worker_module(), str(self._folder)],
            env=self._environment,
            cwd=self._folder,
            stderr=(self._folder / "worker.log").open("ab"),
        )

    def reads(self) -> list[list[str]]:
        """Request id, width and process of each page that was read."""
        path = self._folder / "reads"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def end(self, number: int = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)


def worker_module() -> str:
    return "tests.unit.preprocess_service.jobs.worker_process"


@pytest.fixture
def worker_process(settings: Settings, tmp_path: Path, redis: Redis) -> Iterator[WorkerProcess]:
    process = WorkerProcess(settings, tmp_path)
    yield process
    if process.process is not None and process.process.poll() is None:
        process.end()

import asyncio
import subprocess
import sys
import threading

import pytest
from prometheus_client import generate_latest

from preprocess_service import metrics
from preprocess_service.errors import EngineUnavailableError
from preprocess_service.monitoring import monitor as module
from preprocess_service.monitoring.gpu import NoGpu
from preprocess_service.monitoring.monitor import Monitor
from preprocess_service.reading.budget import PageBudget
from preprocess_service.turns import Party
from tests.fakes import FakeEngine
from tests.waiting import until

MB = 1 << 20


async def test_pages_in_flight_follow_the_free_memory_of_the_gpu(nvml, monkeypatch):
    monkeypatch.setattr(module, "_SAMPLE_SECONDS", 0.05)
    budget = PageBudget(max_pages=50, max_bytes=1000 * MB)
    async with Monitor(FakeEngine(), budget, 500 * MB).watching():
        await until(lambda: budget.allowed_pages == 50)
        nvml.turn("free_mb", 750)
        await until(lambda: budget.allowed_pages == 25)
        nvml.turn("free_mb", 100)
        await until(lambda: budget.allowed_pages == 1)
        nvml.turn("free_mb", 12288)
        await until(lambda: budget.allowed_pages == 50)


async def test_without_a_gpu_they_follow_the_memory_of_the_machine(nvml, monkeypatch):
    nvml.turn("devices", 0)
    monkeypatch.setattr(module, "_SAMPLE_SECONDS", 0.05)
    monkeypatch.setattr(module, "free_memory_bytes", lambda: 600 * MB)
    budget = PageBudget(max_pages=50, max_bytes=1000 * MB)
    async with Monitor(FakeEngine(), budget, 500 * MB).watching():
        await until(lambda: budget.allowed_pages == 10)


async def test_a_page_that_waits_goes_on_when_memory_is_free_again():
    budget = PageBudget(max_pages=4, max_bytes=1000)
    budget.allow(0.5)
    entered = 0

    async def read(caller: int) -> None:
        nonlocal entered
        async with budget.hold(100, Party(str(caller))):
            entered += 1
            await leave.wait()

    leave = asyncio.Event()
    pages = [asyncio.create_task(read(caller)) for caller in range(4)]
    await until(lambda: entered == 2)
    await asyncio.sleep(0.02)
    assert entered == 2
    budget.allow(1)
    await until(lambda: entered == 4)
    leave.set()
    await asyncio.gather(*pages)
    assert (budget.pages, budget.bytes) == (0, 0)


async def test_bytes_shrink_with_the_pages():
    budget = PageBudget(max_pages=10, max_bytes=1000)
    budget.allow(0.5)
    async with budget.hold(400):
        waiting = asyncio.create_task(budget.hold(200).__aenter__())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        budget.allow(1)
        await waiting


async def test_batch_sizes_are_those_that_triton_counts():
    monitor = Monitor(FakeEngine(), PageBudget(1, 1), 0)
    async with monitor.watching():
        await until(lambda: b"ocr_triton_batch_size_count" in generate_latest(monitor.registry))
    text = generate_latest(monitor.registry).decode()
    assert 'ocr_triton_batch_size_bucket{le="1.0",model="text_recognition"} 3.0' in text
    assert 'ocr_triton_batch_size_bucket{le="16.0",model="text_recognition"} 5.0' in text
    assert 'ocr_triton_batch_size_count{model="text_recognition"} 5.0' in text
    assert 'ocr_triton_batch_size_sum{model="text_recognition"} 35.0' in text


async def test_watching_goes_on_while_triton_and_the_store_of_jobs_are_away(monkeypatch):
    monkeypatch.setattr(module, "_TOTALS_SECONDS", 0.01)
    engine, asked = FakeEngine(away=EngineUnavailableError("gone")), 0

    async def count_jobs():
        nonlocal asked
        asked += 1
        if asked == 1:
            raise OSError("unforeseen")
        return {"queued": 3.0}

    monitor = Monitor(engine, PageBudget(1, 1), 0)
    async with monitor.watching(count_jobs):
        await until(lambda: asked > 2)
        assert monitor.stats().queue.jobs["queued"] == 3
        engine.away = None
        await until(lambda: b"ocr_triton_batch_size_sum" in generate_latest(monitor.registry))
    metrics.JOBS.clear()


async def test_a_failure_that_goes_on_is_told_once(monkeypatch, caplog):
    monkeypatch.setattr(module, "_TOTALS_SECONDS", 0.01)
    outcomes = [True, False, False, True, False, False]

    async def count_jobs():
        if outcomes and not outcomes.pop(0):
            raise OSError("unforeseen")
        return {}

    async with Monitor(FakeEngine(), PageBudget(1, 1), 0).watching(count_jobs):
        await until(lambda: not outcomes)
    assert [record.message for record in caplog.records] == ["monitoring failed"] * 2


async def test_canceled_while_it_starts_it_leaves_no_thread(monkeypatch):
    asked, answer = threading.Event(), threading.Event()

    def sample() -> NoGpu:
        asked.set()
        answer.wait(20)
        return NoGpu(reason="none")

    monkeypatch.setattr(module.Nvml, "sample", lambda _: sample())
    before = set(threading.enumerate())
    watching = asyncio.create_task(
        Monitor(FakeEngine(), PageBudget(1, 1), 0).watching().__aenter__()
    )
    await until(asked.is_set)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    answer.set()
    samplers = [t for t in set(threading.enumerate()) - before if t.name == "gpu-sampler"]
    await until(lambda: not any(thread.is_alive() for thread in samplers))


_INTERPRETER_ENDS = """
import asyncio, logging, threading
from preprocess_service.reading.budget import PageBudget
from preprocess_service.monitoring import monitor
from preprocess_service.turns import Party
from tests.fakes import FakeEngine

monitor._TOTALS_SECONDS = 0.01
logging.basicConfig()
watched = threading.Event()

async def watch():
    async with monitor.Monitor(FakeEngine(), PageBudget(1, 1), 0).watching():
        watched.set()
        while threading.main_thread().is_alive():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)

threading.Thread(target=lambda: asyncio.run(watch())).start()
watched.wait()
"""


def test_it_ends_with_an_interpreter_that_can_start_no_thread_any_more():
    command = [sys.executable, "-c", _INTERPRETER_ENDS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("free_mb", "share"), [(8000, 1), (1000, 1), (750, 0.5), (501, 0.002), (500, 0), (20, 0)]
)
def test_work_shrinks_evenly_between_twice_the_buffer_and_the_buffer(free_mb, share):
    assert module.share_allowed(free_mb * MB, 500 * MB) == pytest.approx(share)


def test_without_a_buffer_nothing_shrinks():
    assert module.share_allowed(0, 0) == 1

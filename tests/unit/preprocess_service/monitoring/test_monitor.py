import asyncio

from prometheus_client import generate_latest

from preprocess_service import metrics
from preprocess_service.budget import PageBudget
from preprocess_service.errors import EngineUnavailableError
from preprocess_service.monitoring import monitor as module
from preprocess_service.monitoring.monitor import Monitor
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
    monkeypatch.setattr(module, "free_machine_bytes", lambda: 600 * MB)
    budget = PageBudget(max_pages=50, max_bytes=1000 * MB)
    async with Monitor(FakeEngine(), budget, 500 * MB).watching():
        await until(lambda: budget.allowed_pages == 10)


async def test_a_page_that_waits_goes_on_when_memory_is_free_again():
    budget = PageBudget(max_pages=4, max_bytes=1000)
    await budget.allow(0.5)
    entered = 0

    async def read(leave: asyncio.Event) -> None:
        nonlocal entered
        async with budget.hold(100):
            entered += 1
            await leave.wait()

    leave = asyncio.Event()
    pages = [asyncio.create_task(read(leave)) for _ in range(4)]
    await until(lambda: entered == 2)
    await asyncio.sleep(0.02)
    assert entered == 2
    await budget.allow(1)
    await until(lambda: entered == 4)
    leave.set()
    await asyncio.gather(*pages)
    assert (budget.pages, budget.bytes) == (0, 0)


async def test_bytes_shrink_with_the_pages():
    budget = PageBudget(max_pages=10, max_bytes=1000)
    await budget.allow(0.5)
    async with budget.hold(400):
        waiting = asyncio.create_task(budget.hold(200).__aenter__())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        await budget.allow(1)
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

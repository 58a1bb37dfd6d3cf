"""Processes killed in the middle: nothing accepted is lost, nothing finished is done again."""

import asyncio
import signal
from collections import Counter
from pathlib import Path

import pytest

from preprocess_service.errors import EngineUnavailableError
from preprocess_service.settings import Settings
from tests.fakes import FakeEngine
from tests.unit.preprocess_service.conftest import open_client
from tests.unit.preprocess_service.jobs.conftest import (
    JOBS,
    WorkerProcess,
    finished,
    numbered_pdf,
    running_worker,
    submit,
    until,
)
from tests.unit.preprocess_service.valkey import ValkeyProcess

PAGES = 30


async def pages_done(client, job_id) -> int:
    return (await client.get(f"{JOBS}/{job_id}/status")).json()["pages_done"]


async def test_a_killed_worker_costs_no_page_twice(client, worker_process: WorkerProcess):
    worker_process.start()
    job_id = await submit(client, numbered_pdf(PAGES))
    await until(lambda: len(worker_process.reads()) > 8)
    worker_process.end(signal.SIGKILL)
    done_before = await pages_done(client, job_id)
    assert 0 < done_before < PAGES
    reads_before = len(worker_process.reads())
    worker_process.start()
    status = await finished(client, job_id)
    assert (status["status"], status["pages_done"]) == ("succeeded", PAGES)
    reads_after = len(worker_process.reads()) - reads_before
    assert reads_after == PAGES - done_before
    document = (await client.get(f"{JOBS}/{job_id}/result")).json()
    assert [page["number"] for page in document["pages"]] == list(range(1, PAGES + 1))
    assert document["status"] == "succeeded"


async def test_a_worker_that_is_asked_to_end_passes_its_job_on_at_once(
    client, worker_process: WorkerProcess, settings: Settings, tmp_path: Path
):
    worker_process.start()
    job_id = await submit(client, numbered_pdf(PAGES))
    await until(lambda: len(worker_process.reads()) > 4)
    assert worker_process.end(signal.SIGTERM) == 0
    status = (await client.get(f"{JOBS}/{job_id}/status")).json()
    assert (status["status"], status["attempts"]) == ("queued", 0)
    assert status["pages_done"] < PAGES
    worker_process.start()
    assert (await finished(client, job_id))["status"] == "succeeded"
    widths = Counter(width for _, width, _ in worker_process.reads())
    assert len(widths) == PAGES
    # A page that was being read when the worker ended may be read again, a finished one not.
    assert sum(widths.values()) <= PAGES + 2


async def test_two_workers_share_jobs_and_each_result_comes_once(
    client, worker_process: WorkerProcess, settings: Settings, tmp_path: Path
):
    second = WorkerProcess(settings, tmp_path)
    worker_process.start()
    second.start()
    ids: list[str] = []
    try:
        # On a busy machine one worker may have started long before the other.
        while len({pid for _, _, pid in worker_process.reads()}) < 2:
            round_of_jobs = [await submit(client, numbered_pdf(4)) for _ in range(4)]
            for job_id in round_of_jobs:
                assert (await finished(client, job_id))["pages_done"] == 4
            ids += round_of_jobs
            assert len(ids) < 200
    finally:
        second.end()
    assert len(worker_process.reads()) == 4 * len(ids)


@pytest.fixture
def own_valkey(tmp_path: Path):
    """A server for this test alone, to be killed."""
    folder = tmp_path / "valkey"
    folder.mkdir()
    process = ValkeyProcess(folder)
    process.start()
    yield process
    process.stop()


async def test_a_killed_valkey_loses_no_accepted_job(own_valkey: ValkeyProcess, settings: Settings):
    mine = settings.model_copy(update={"redis_url": Settings(redis_url=own_valkey.url).redis_url})
    engine = FakeEngine()
    async with open_client(mine, engine) as client:
        engine.gate = asyncio.Event()
        async with running_worker(mine, engine):
            ids = [await submit(client, numbered_pdf(3)) for _ in range(8)]
            await until(lambda: engine.in_flight)
            own_valkey.kill()
            answer = await client.post(f"{JOBS}/submit", files={"file": numbered_pdf(1)})
            assert (answer.status_code, answer.json()["code"]) == (503, "jobs_unavailable")
            engine.gate.set()
            own_valkey.start()
            for job_id in ids:
                status = await finished(client, job_id)
                assert (status["status"], status["pages_done"]) == ("succeeded", 3)
            listed = (await client.get(JOBS)).json()["jobs"]
    assert sorted(job["job_id"] for job in listed) == sorted(ids)


async def test_a_job_whose_task_was_never_queued_is_found(client, settings, engine, monkeypatch):
    from datetime import timedelta

    from redis.exceptions import ConnectionError as RedisConnectionError

    from preprocess_service.jobs import queue

    async def crash(*_: object) -> None:
        raise RedisConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(queue, "enqueue", crash)
        job_id = await submit(client, numbered_pdf(1))
    monkeypatch.setattr(queue._ALWAYS, "every", timedelta(seconds=0.2))
    async with running_worker(settings, engine):
        assert (await finished(client, job_id))["status"] == "succeeded"


@pytest.mark.parametrize(("served", "release", "reads"), [([2, 1], 1, 4), ([2], 2, 5)])
async def test_a_job_goes_on_with_its_release_or_begins_anew(
    client, settings, engine, served, release, reads
):
    engine.outcomes = [engine.default, EngineUnavailableError("Triton is away.")]
    engine.gate = asyncio.Event()
    one_by_one = settings.model_copy(update={"document_pages_in_flight": 1})
    async with running_worker(one_by_one, engine):
        job_id = await submit(client, numbered_pdf(3))
        await until(lambda: engine.in_flight)
        engine.served = served
        engine.gate.set()
        assert (await finished(client, job_id))["pages_done"] == 3
    document = (await client.get(f"{JOBS}/{job_id}/result")).json()
    assert (document["release"], len(document["pages"])) == (release, 3)
    # One page and a failure with release 1; then the two that lack, or all three.
    assert [options.release for options in engine.options] == [1, 1, *[release] * (reads - 2)]

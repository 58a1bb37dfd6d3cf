"""The rules by which a record changes, whoever asks and how often."""

import time

import pytest
from redis.asyncio import Redis

from preprocess_service.document import Page
from preprocess_service.errors import EngineTimeoutError, Problem
from preprocess_service.jobs.pages import pack_page, unpack_page
from preprocess_service.jobs.record import Submission, new_job_id
from preprocess_service.jobs.store import JobStore
from preprocess_service.options import OcrOptions
from preprocess_service.pipeline import PageResult
from tests.unit.preprocess_service.jobs.conftest import (
    JOBS,
    finished,
    numbered_pdf,
    running_worker,
    submit,
)


def make_page(number: int, problem: Problem | None = None) -> PageResult:
    page = Page(
        number=number, width=10, height=10, dpi=72, rotation=0, skew_degrees=None, source="ocr",
        text="日本 é", confidence=None, lines=(), problem=problem,
    )  # fmt: skip
    return PageResult(page, rasterize_ms=1.5, inference_ms=2.5)


def make_submission(**fields: object) -> Submission:
    now = time.time()
    values = {"created_at": now, "deadline_at": now + 60, "options": OcrOptions()}
    return Submission(job_id=new_job_id(), request_id="r", **{**values, **fields})


@pytest.fixture
def store(redis: Redis) -> JobStore:
    return JobStore(redis, retention_seconds=60)


async def make_job(store: JobStore) -> str:
    job_id = await store.create(make_submission(), "day/name", room=10)
    assert job_id is not None
    return job_id


async def test_a_run_that_lost_its_job_changes_nothing(store: JobStore) -> None:
    job_id = await make_job(store)
    first = await store.begin(job_id, "first")
    second = await store.begin(job_id, "second")
    assert first is not None
    assert second is not None
    assert not await store.keep_page(first, make_page(1))
    assert not await store.finish(first, "failed", {})
    assert not await store.put_back(first, counted=True)
    assert await store.keep_page(second, make_page(1))
    assert await store.finish(second, "succeeded", {"document": "{}"})
    assert not await store.finish(second, "failed", {})
    job = await store.find(job_id)
    assert job is not None
    assert (job.status, job.pages_done, job.attempts) == ("succeeded", 1, 0)


async def test_a_page_counts_once_however_often_it_is_kept(store: JobStore) -> None:
    job_id = await make_job(store)
    run = await store.begin(job_id, "run")
    assert run is not None
    for number in (2, 1, 2, 2):
        assert await store.keep_page(run, make_page(number))
    job = await store.find(job_id)
    assert job is not None
    assert job.pages_done == 2
    assert [event.page for event in await store.events(job_id, 0)] == [2, 1]
    assert [result.page.number for result in await store.pages(job_id)] == [1, 2]


async def test_a_canceled_job_takes_no_page_and_cannot_begin(store: JobStore) -> None:
    job_id = await make_job(store)
    run = await store.begin(job_id, "run")
    assert run is not None
    assert await store.cancel(job_id) == "running"
    assert not await store.keep_page(run, make_page(1))
    assert await store.begin(job_id, "next") is None
    assert await store.cancel(job_id) == "canceled"
    assert await store.cancel(new_job_id()) == ""


async def test_attempts_count_runs_without_a_page(store: JobStore) -> None:
    job_id = await make_job(store)
    for attempt in (1, 2):
        run = await store.begin(job_id, f"run {attempt}")
        assert run is not None
        assert run.job.attempts == attempt
        await store.put_back(run, counted=True)
    run = await store.begin(job_id, "away")
    assert run is not None
    await store.put_back(run, counted=False)
    run = await store.begin(job_id, "reading")
    assert run is not None
    assert run.job.attempts == 3
    await store.keep_page(run, make_page(1))
    run = await store.begin(job_id, "after a page")
    assert run is not None
    assert run.job.attempts == 1


def test_a_page_comes_back_as_it_was_kept_its_error_included() -> None:
    plain = make_page(1)
    assert unpack_page(pack_page(plain)) == plain
    problem = EngineTimeoutError("too long").problem("r")
    failed = unpack_page(pack_page(make_page(2, problem)))
    assert isinstance(failed.error, EngineTimeoutError)
    assert failed.page.problem == problem


async def test_a_job_that_ends_its_workers_is_given_up(client, engine, settings, store) -> None:
    job_id = await submit(client, numbered_pdf(1))
    for number in range(settings.job_max_attempts):
        await store.begin(job_id, f"died {number}")
    async with running_worker(settings, engine):
        status = await finished(client, job_id)
    assert (status["dead_letter"], status["problem"]["code"]) == (True, "job_abandoned")
    assert engine.pages == []
    assert (await client.get(f"{JOBS}/{job_id}/result")).json()["code"] == "job_abandoned"

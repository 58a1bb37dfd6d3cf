"""The rules by which a record changes, whoever asks and how often."""

import time
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from preprocess_service.document import Page
from preprocess_service.errors import EngineTimeoutError, StorageFullError
from preprocess_service.jobs.files import JobFiles
from preprocess_service.jobs.pages import pack_page, unpack_page
from preprocess_service.jobs.record import Submission, new_job_id
from preprocess_service.jobs.store import JobStore
from preprocess_service.options import OcrOptions
from preprocess_service.problem import Problem
from preprocess_service.reading.assembly import PageResult
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
    return JobStore(redis, retention_seconds=60, telling_seconds=30, storage_bytes=100)


async def make_job(store: JobStore) -> str:
    job_id = await store.create(make_submission(), JobFiles("day/name"), 9, room=10)
    assert job_id is not None
    return job_id


async def test_a_run_that_lost_its_job_changes_nothing(store: JobStore) -> None:
    job_id = await make_job(store)
    first = await store.begin(job_id, "first")
    second = await store.begin(job_id, "second")
    assert first is not None
    assert second is not None
    assert not await store.pages.keep(first, make_page(1))
    assert not await store.finish(first, "failed", {})
    assert not await store.put_back(first, counted=True)
    assert await store.pages.keep(second, make_page(1))
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
        assert await store.pages.keep(run, make_page(number))
    job = await store.find(job_id)
    assert job is not None
    assert job.pages_done == 2
    assert [event.page for event in await store.pages.events(job_id, 0)] == [2, 1]
    assert [result.page.number for result in await store.pages.results(job_id)] == [1, 2]


async def test_a_redis_that_fills_up_refuses_jobs_first_and_pages_then(
    store: JobStore, redis: Redis
) -> None:
    job_id = await make_job(store)
    run = await store.begin(job_id, "run")
    assert run is not None
    used = (await redis.info("memory"))["used_memory"]
    try:
        await redis.config_set("maxmemory", int(used / 0.85))
        with pytest.raises(StorageFullError, match="VALKEY_MEMORY_MB"):
            await make_job(store)
        assert await store.pages.keep(run, make_page(1))
        await redis.config_set("maxmemory", int(used / 0.95))
        with pytest.raises(StorageFullError):
            await store.pages.keep(run, make_page(2))
        assert await store.finish(run, "failed", {})
    finally:
        await redis.config_set("maxmemory", 0)


async def test_uploads_have_so_many_bytes_and_one_caller_half_of_them(store: JobStore) -> None:
    async def add(caller: str, upload_bytes: int) -> str:
        submission = make_submission(caller=caller)
        job_id = await store.create(submission, JobFiles("day/name"), upload_bytes, room=10)
        assert job_id is not None
        return job_id

    first = await add("one", 40)
    for refuse in (add, store.room.require_storage):
        with pytest.raises(StorageFullError, match="JOB_STORAGE_MB"):
            await refuse("one", 11)
    await add("one", 10)
    await add("other", 45)
    with pytest.raises(StorageFullError):
        await add("third", 6)
    for _ in range(2):  # again changes nothing
        await store.room.drop_upload(first)
    await add("third", 45)
    with pytest.raises(StorageFullError):
        await add("third", 1)


async def test_bytes_are_free_again_when_a_record_has_ended_by_itself(
    store: JobStore, redis: Redis
) -> None:
    job_id = await make_job(store)
    await redis.delete(f"ocr:job:{job_id}")
    await store.forget(job_id, None)
    assert await redis.keys("ocr:jobs:s*") == []


async def test_what_a_job_may_still_say_is_counted_over_its_runs(store: JobStore) -> None:
    job_id = await make_job(store)
    run = await store.begin(job_id, "run")
    assert run is not None
    for number in (1, 2, 2):
        await store.pages.keep(run, replace(make_page(number), text_bytes=70))
    job = await store.find(job_id)
    assert job is not None
    assert job.text_bytes == 140
    await store.pages.forget(run)
    job = await store.find(job_id)
    assert job is not None
    assert job.text_bytes == 0


async def test_a_canceled_job_takes_no_page_and_cannot_begin(store: JobStore) -> None:
    job_id = await make_job(store)
    run = await store.begin(job_id, "run")
    assert run is not None
    assert await store.cancel(job_id) == "running"
    assert not await store.pages.keep(run, make_page(1))
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
    await store.pages.keep(run, make_page(1))
    run = await store.begin(job_id, "after a page")
    assert run is not None
    assert run.job.attempts == 1


async def test_no_late_write_brings_a_forgotten_job_back(store: JobStore, redis: Redis) -> None:
    submission = make_submission(idempotency_key="key", callback_url="https://example.com/done")
    job_id = await store.create(submission, JobFiles("day/name"), 9, room=10)
    assert job_id is not None
    run = await store.begin(job_id, "run")
    assert run is not None
    await store.pages.keep(run, make_page(1))
    await store.finish(run, "succeeded", {"document": "{}"})
    await store.forget(job_id, submission)
    assert await redis.keys("ocr:*") == []
    assert not await store.note(job_id, webhook_attempts=1)
    assert await store.begin(job_id, "late") is None
    assert not await store.pages.keep(run, make_page(2))
    assert not await store.pages.forget(run)
    assert not await store.finish(run, "failed", {})
    assert not await store.put_back(run, counted=True)
    assert await store.cancel(job_id) == ""
    await store.end_webhook(run.job, "delivered")
    assert await redis.keys("ocr:*") == []


async def test_a_run_that_lost_its_job_removes_no_page_of_the_next(store: JobStore) -> None:
    job_id = await make_job(store)
    first = await store.begin(job_id, "first")
    second = await store.begin(job_id, "second")
    assert first is not None
    assert second is not None
    await store.pages.keep(second, make_page(1))
    assert not await store.pages.forget(first)
    assert await store.pages.numbers(job_id) == {1}
    assert await store.pages.forget(second)
    job = await store.find(job_id)
    assert job is not None
    assert (await store.pages.numbers(job_id), job.pages_done) == (set(), 0)


async def test_the_time_of_a_job_with_a_caller_begins_when_that_was_told(
    store: JobStore, redis: Redis
) -> None:
    submission = make_submission(callback_url="https://example.com/done")
    job_id = await store.create(submission, JobFiles(), 0, room=10)
    assert job_id is not None
    assert await store.cancel(job_id) == "queued"
    job = await store.find(job_id)
    assert job is not None
    kept = await redis.zscore("ocr:jobs:expiry", job_id) - time.time()
    assert 80 < kept <= 90  # 30 to tell, 60 to be seen
    await store.end_webhook(job, "failed")
    kept = await redis.zscore("ocr:jobs:expiry", job_id) - time.time()
    assert 50 < kept <= 60
    assert await store.pending_webhooks() == []


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

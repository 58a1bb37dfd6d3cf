"""The end of finished jobs, and submissions that meet a full disk."""

from datetime import timedelta

from preprocess_service.errors import DocumentTooCostlyError, StorageFullError
from preprocess_service.jobs import queue
from preprocess_service.storage.uploads import UploadStore
from tests.unit.preprocess_service.conftest import open_client
from tests.unit.preprocess_service.jobs.conftest import (
    JOBS,
    finished,
    numbered_pdf,
    running_worker,
    submit,
    until,
)


async def test_after_its_retention_nothing_of_a_job_is_left(settings, engine, redis, monkeypatch):
    monkeypatch.setattr(queue._ALWAYS, "every", timedelta(seconds=0.1))
    short = settings.model_copy(update={"job_retention": 0.5})
    async with open_client(short, engine) as client, running_worker(short, engine):
        headers = {"Idempotency-Key": "order 9"}
        answer = await client.post(
            f"{JOBS}/submit", files={"file": numbered_pdf(2)}, headers=headers
        )
        job_id = answer.json()["job_id"]
        waiting = await finished(client, job_id)
        assert waiting["status"] == "succeeded"

        async def is_gone() -> bool:
            return (await client.get(f"{JOBS}/{job_id}/status")).status_code == 404

        await until(is_gone)
        assert (await client.get(JOBS)).json()["jobs"] == []
    keys = [key.decode() for key in await redis.keys("ocr:job*")]
    keys += [key.decode() for key in await redis.keys("ocr:idempotency*")]
    assert keys == []
    uploads = [path for path in (settings.data_dir / "jobs").rglob("*") if path.is_file()]
    assert uploads == []


async def test_every_key_of_a_job_that_ended_has_an_end(settings, engine, redis, monkeypatch):
    monkeypatch.setattr(queue._ALWAYS, "every", timedelta(seconds=0.1))
    hasty = settings.model_copy(update={"webhook_give_up": 0.0})
    jobs = []

    async def submit_another(client) -> str:
        answer = await client.post(
            f"{JOBS}/submit",
            files={"file": numbered_pdf(2)},
            data={"text_layer": "ignore", "callback_url": "http://127.0.0.1:9/closed"},
            headers={"Idempotency-Key": f"order {len(jobs)}"},
        )
        jobs.append(answer.json()["job_id"])
        return jobs[-1]

    async def without_end() -> list[str]:
        """Keys of single jobs that Redis would keep for ever, and what the stream holds."""
        found = [key.decode() for key in await redis.keys("*") if await redis.ttl(key) < 0]
        queued = await redis.xrange("ocr:queue:stream")
        kept = [str(entry) for entry in queued] + found
        return [entry for entry in kept if any(job_id in entry for job_id in jobs)]

    async with open_client(hasty, engine) as client:
        await client.delete(f"{JOBS}/{await submit_another(client)}")
        async with running_worker(hasty, engine):
            await finished(client, await submit_another(client))
            engine.outcomes = [DocumentTooCostlyError("boom")]
            await finished(client, await submit_another(client))

            async def has_an_end() -> bool:
                return await without_end() == []

            await until(has_an_end)
        statuses = (await client.get(JOBS)).json()["jobs"]
    assert [job["status"] for job in statuses] == ["failed", "succeeded", "canceled"]
    # A message given up is seen: the job is kept from then on.
    assert {job["webhook"] for job in statuses} == {"failed"}
    # Beside them are names without a job in them; indexes lose what is forgotten.
    assert len(await redis.keys("ocr:job:*")) == 3 + 2 * 1


async def test_an_unfinished_job_is_kept_however_long_it_waits(settings, engine, redis, client):
    job_id = await submit(client, numbered_pdf(1))
    assert [job_id] == [j["job_id"] for j in (await client.get(JOBS)).json()["jobs"]]
    assert await redis.zcard("ocr:jobs:expiry") == 0


def kept_files(settings) -> list:
    return [path for path in (settings.data_dir / "jobs").rglob("*") if path.is_file()]


async def test_a_canceled_or_failed_job_leaves_no_upload_and_no_pages(
    settings, engine, redis, client
):
    options = {"password": "secret"}
    canceled = await submit(client, numbered_pdf(1), **options)
    assert len(kept_files(settings)) == 2
    await client.delete(f"{JOBS}/{canceled}")
    assert kept_files(settings) == []
    engine.outcomes = [engine.default, DocumentTooCostlyError("boom")]
    narrow = settings.model_copy(update={"document_pages_in_flight": 1})
    async with running_worker(narrow, engine):
        failed = await submit(client, numbered_pdf(2), **options)
        status = await finished(client, failed)
        await until(lambda: kept_files(settings) == [])
    assert (status["status"], status["pages_done"]) == ("failed", 1)
    assert await redis.keys("ocr:job:*:pages") == []
    assert await redis.keys("ocr:jobs:s*") == []


async def test_too_many_bytes_of_uploads_accept_nothing(settings, engine, redis):
    small = settings.model_copy(update={"job_storage_mb": 1})
    pdf = numbered_pdf(1)
    large = pdf + bytes((1 << 19) - len(pdf))
    async with open_client(small, engine) as client:
        first = await submit(client, large)
        answer = await client.post(f"{JOBS}/submit", files={"file": pdf})
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
        assert "JOB_STORAGE_MB" in answer.json()["detail"]
        await client.delete(f"{JOBS}/{first}")
        await submit(client, pdf)
    assert len(kept_files(settings)) == 1


async def test_a_full_redis_accepts_nothing_and_keeps_no_upload(client, redis, settings):
    used = (await redis.info("memory"))["used_memory"]
    try:
        await redis.config_set("maxmemory", int(used / 0.9))
        answer = await client.post(f"{JOBS}/submit", files={"file": numbered_pdf(1)})
    finally:
        await redis.config_set("maxmemory", 0)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert answer.json()["retryable"]
    assert answer.headers["retry-after"]
    assert not [path for path in (settings.data_dir / "jobs").rglob("*") if path.is_file()]


async def test_a_full_disk_accepts_nothing(client, monkeypatch, redis):
    async def full(*_: object) -> str:
        raise StorageFullError("There is no room for the upload.")

    monkeypatch.setattr(UploadStore, "save", full)
    answer = await client.post(f"{JOBS}/submit", files={"file": numbered_pdf(1)})
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert (await client.get(JOBS)).json()["jobs"] == []

"""The end of finished jobs, and submissions that meet a full disk."""

from datetime import timedelta

from preprocess_service.errors import StorageFullError
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


async def test_an_unfinished_job_is_kept_however_long_it_waits(settings, engine, redis, client):
    job_id = await submit(client, numbered_pdf(1))
    assert [job_id] == [j["job_id"] for j in (await client.get(JOBS)).json()["jobs"]]
    assert await redis.zcard("ocr:jobs:expiry") == 0


async def test_a_full_disk_accepts_nothing(client, monkeypatch, redis):
    async def full(*_: object) -> str:
        raise StorageFullError("There is no room for the upload.")

    monkeypatch.setattr(UploadStore, "save", full)
    answer = await client.post(f"{JOBS}/submit", files={"file": numbered_pdf(1)})
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert (await client.get(JOBS)).json()["jobs"] == []

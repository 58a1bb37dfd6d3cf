"""Waiting for jobs costs a process one look, however many wait, and a caller has his share."""

import asyncio

import pytest

from preprocess_service.jobs import changes
from preprocess_service.jobs.service import JobService
from preprocess_service.jobs.store import JobStore
from tests.unit.preprocess_service.api.edge import serving_edge
from tests.unit.preprocess_service.jobs.conftest import JOBS, numbered_pdf, submit, until
from tests.unit.preprocess_service.jobs.test_store import make_job

STREAMS = 20


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"waits_per_caller": 1})


class CountingStore(JobStore):
    finds = 0

    async def find(self, job_id):
        self.finds += 1
        return await super().find(job_id)


async def test_streams_of_a_job_look_together_and_miss_nothing(redis, monkeypatch):
    monkeypatch.setattr(changes, "LOOK_SECONDS", 0.02)
    store, heard = CountingStore(redis, 60, 30, 1 << 20), changes.Changes(redis)
    job_id = await make_job(store)
    jobs = JobService(store, None, None, heard, 10)

    async def follow():
        return [found async for found in jobs.follow(job_id, 0)]

    async with heard.listening():
        streams = [asyncio.create_task(follow()) for _ in range(STREAMS)]
        await until(lambda: job_id in heard._seen)
        await asyncio.sleep(0.2)  # ten looks more
        assert store.finds <= 2 * STREAMS
        # Nobody is told of it, as when the message is lost.
        await redis.hset(f"ocr:job:{job_id}", "status", "canceled")
        ends = await asyncio.wait_for(asyncio.gather(*streams), 10)
    assert [[job.status for job in found] for found in ends] == [["canceled"]] * STREAMS
    assert not heard._waiting
    assert not heard._seen


@pytest.mark.parametrize("path", ["events", "status?wait=60"])
async def test_one_caller_waits_for_so_many_jobs_and_no_more(client, path):
    job_id = await submit(client, numbered_pdf(1))
    waits = client._transport.app.state.services.waits
    async with serving_edge(client._transport.app) as edge:
        _, writer = await edge.connect()
        writer.write(f"GET {JOBS}/{job_id}/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await until(lambda: waits.taken)
        for other in ("events", "status?wait=60"):
            refused = await client.get(f"{JOBS}/{job_id}/{other}")
            assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
            assert "WAITS_PER_CALLER" in refused.json()["detail"]
        assert (await client.get(f"{JOBS}/{job_id}/status")).status_code == 200
        writer.close()
        await until(lambda: not waits.taken)
    assert (await client.get(f"{JOBS}/{job_id}/status?wait=0.01")).status_code == 200


async def test_a_stream_whose_job_is_gone_ends_without_an_end(client, redis, monkeypatch, caplog):
    monkeypatch.setattr(changes, "LOOK_SECONDS", 0.02)
    job_id = await submit(client, numbered_pdf(1))
    waits = client._transport.app.state.services.waits
    stream = asyncio.create_task(client.get(f"{JOBS}/{job_id}/events"))
    await until(lambda: waits.taken)
    await redis.delete(f"ocr:job:{job_id}")
    assert (await asyncio.wait_for(stream, 10)).text == ""
    assert not [record for record in caplog.records if record.levelname == "ERROR"]

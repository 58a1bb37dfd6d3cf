"""A job is its caller's: nobody else lists, reads or cancels it, or finds it by the same key."""

from contextlib import asynccontextmanager

import httpx
import pytest

from preprocess_service.jobs import store
from tests.unit.preprocess_service.conftest import open_client
from tests.unit.preprocess_service.jobs.conftest import JOBS, numbered_pdf

PDF = numbered_pdf(1)
ONE, OTHER, OPERATOR = "0123456789abcdef", "fedcba9876543210", "operator-operator"


@pytest.fixture
def settings(settings):
    values = settings.model_dump() | {"api_keys": f"{ONE},{OTHER}", "operator_keys": OPERATOR}
    return type(settings)(**values)


def by(key: str) -> dict[str, str]:
    return {"X-API-Key": key}


async def submitted(client, key: str | None = None, **headers: str) -> httpx.Response:
    shown = by(key) if key else {}
    return await client.post(f"{JOBS}/submit", files={"file": PDF}, headers=shown | headers)


async def listed(client, key: str | None = None, **query: object) -> list[str]:
    answer = await client.get(JOBS, params=query, headers=by(key) if key else {})
    assert answer.status_code == 200
    return [job["job_id"] for job in answer.json()["jobs"]]


async def test_the_jobs_of_another_key_are_not_there(client):
    job_id = (await submitted(client, ONE)).json()["job_id"]
    for method, path in (
        ("GET", "status"), ("GET", "result"), ("GET", "events"), ("DELETE", ""),
    ):  # fmt: skip
        url = f"{JOBS}/{job_id}/{path}".rstrip("/")
        asked = await client.request(method, url, headers=by(OTHER))
        unknown = await client.request(method, url.replace(job_id, "0" * 32), headers=by(OTHER))
        assert asked.status_code == unknown.status_code == 404
        assert asked.json()["detail"] == unknown.json()["detail"]
    assert await listed(client, OTHER) == []
    assert await listed(client, ONE) == [job_id]
    status = await client.get(f"{JOBS}/{job_id}/status", headers=by(ONE))
    assert status.json()["status"] == "queued"
    assert (await client.delete(f"{JOBS}/{job_id}", headers=by(ONE))).status_code == 204


async def test_an_idempotency_key_is_its_caller_s(client):
    once = {"Idempotency-Key": "order-1"}
    first = await submitted(client, ONE, **once)
    other = await submitted(client, OTHER, **once)
    assert (first.status_code, other.status_code) == (202, 202)
    assert first.json()["job_id"] != other.json()["job_id"]
    again = await submitted(client, ONE, **once)
    assert (again.status_code, again.json()["job_id"]) == (200, first.json()["job_id"])


async def test_an_operator_sees_and_cancels_the_jobs_of_all(client):
    ids = [(await submitted(client, key)).json()["job_id"] for key in (ONE, OTHER, OPERATOR)]
    assert await listed(client, OPERATOR) == ids[::-1]
    assert (await client.get(f"{JOBS}/{ids[0]}/status", headers=by(OPERATOR))).status_code == 200
    assert (await client.delete(f"{JOBS}/{ids[0]}", headers=by(OPERATOR))).status_code == 204
    assert await listed(client, ONE, status="canceled") == ids[:1]
    assert await listed(client, OTHER) == ids[1:2]


async def test_no_key_is_kept(client, redis):
    await submitted(client, ONE, **{"Idempotency-Key": ONE})
    kept = [await redis.dump(key) + key for key in await redis.keys()]
    assert kept
    assert not any(ONE.encode() in value for value in kept)


async def test_a_list_costs_no_more_than_so_many_looks(client, monkeypatch):
    monkeypatch.setattr(store, "_JOBS_AT_ONCE", 2)
    monkeypatch.setattr(store, "_MOST_LOOKS", 2)
    ids = [(await submitted(client, ONE)).json()["job_id"] for _ in range(5)]
    await client.delete(f"{JOBS}/{ids[0]}", headers=by(ONE))
    first = await client.get(JOBS, params={"status": "canceled"}, headers=by(ONE))
    assert first.json() == {"jobs": [], "next_cursor": ids[1]}
    assert await listed(client, ONE, status="canceled", cursor=ids[1]) == ids[:1]
    assert await listed(client, ONE, limit=3) == ids[:1:-1]


@asynccontextmanager
async def from_address(client, address: str):
    transport = httpx.ASGITransport(app=client._transport.app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as other:
        yield other


async def test_without_keys_the_address_lists_and_the_name_of_the_job_opens(
    settings, engine, redis
):
    values = settings.model_dump() | {"api_keys": None}
    async with open_client(type(settings)(**values), engine) as client:
        once = {"Idempotency-Key": "order-1"}
        job_id = (await submitted(client, **once)).json()["job_id"]
        async with from_address(client, "192.0.2.7") as other:
            assert await listed(other) == []
            assert await listed(other, OPERATOR) == [job_id]
            assert (await submitted(other, **once)).json()["job_id"] != job_id
            assert (await other.get(f"{JOBS}/{job_id}/status")).status_code == 200
        assert await listed(client) == [job_id]

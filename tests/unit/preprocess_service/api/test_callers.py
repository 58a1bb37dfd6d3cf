import asyncio
import hashlib

import httpx
import pytest
from fastapi import Request

from preprocess_service.api.requests import caller_of
from preprocess_service.settings import Settings
from tests.fakes import FakeEngine
from tests.unit.preprocess_service.conftest import open_client

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
PROCESS = "/api/v1/ocr/process"


@pytest.fixture
def keys() -> str:
    return f"{KEY}, sha256:{hashlib.sha256(OTHER.encode()).hexdigest()}"


async def test_keys_are_asked_for_where_reading_costs(keys, make_pdf):
    settings = Settings(api_keys=keys, rasterizer_processes=1, cache_ttl=0)
    async with open_client(settings, FakeEngine()) as client:
        files = {"file": make_pdf()}
        for headers in ({}, {"X-API-Key": KEY[:-1]}, {"Authorization": f"Basic {KEY}"}):
            refused = await client.post(PROCESS, files=files, headers=headers)
            assert refused.status_code == 401
            assert refused.json()["code"] == "unauthorized"
            assert refused.headers["www-authenticate"] == "Bearer"
        for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {OTHER}"}):
            assert (await client.post(PROCESS, files=files, headers=headers)).status_code == 200
        assert (await client.get("/api/v1/jobs")).status_code == 401
        assert (await client.get("/health")).status_code == 200


async def test_rate_is_counted_per_key(keys):
    settings = Settings(api_keys=keys, rate_limit_per_minute=2, rasterizer_processes=1)
    async with open_client(settings, FakeEngine()) as client:
        answers = [await client.post(PROCESS, headers={"X-API-Key": KEY}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [415, 415, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        other = await client.post(PROCESS, headers={"X-API-Key": OTHER})
        assert other.status_code == 415


async def test_wrong_keys_from_one_address_are_throttled_and_its_honest_callers_go_on(keys):
    settings = Settings(api_keys=keys, wrong_keys_per_minute=3, rasterizer_processes=1)
    async with open_client(settings, FakeEngine()) as client:

        async def status(key: str, asker: httpx.AsyncClient = client) -> int:
            answer = await asker.post(PROCESS, headers={"X-API-Key": key})
            if answer.status_code == 429:
                assert answer.json()["code"] == "rate_limited"
                assert 1 <= int(answer.headers["retry-after"]) <= 60
            return answer.status_code

        assert await status(KEY) == 415
        wrong = [f"wrong key number {number}" for number in range(20)]
        assert [await status(key) for key in wrong] == [401] * 3 + [429] * 17
        assert await status(KEY) == 415
        # Right for the first time: to look at it would tell a guesser what he wants to know.
        assert await status(OTHER) == 429
        transport = httpx.ASGITransport(client._transport.app, client=("192.0.2.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as elsewhere:
            assert await status(OTHER, elsewhere) == 415
            at_once = await asyncio.gather(*(status(key, elsewhere) for key in wrong))
        assert at_once.count(401) == 3


async def test_pages_of_named_origins_may_ask():
    origin = "https://app.example.org"
    settings = Settings(cors_origins=origin, rasterizer_processes=1)
    async with open_client(settings, FakeEngine()) as client:
        asked = {"Access-Control-Request-Method": "POST"}
        allowed = await client.options(PROCESS, headers={**asked, "Origin": origin})
        assert allowed.headers["access-control-allow-origin"] == origin
        foreign = await client.options(PROCESS, headers={**asked, "Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in foreign.headers


FIGURES = ("/models", "/metrics", "/stats", "/gpu/status", "/docs", "/openapi.json")


@pytest.mark.parametrize("is_open", [True, False])
async def test_figures_are_open_or_not_as_it_is_set(keys, is_open):
    settings = Settings(api_keys=keys, figures_without_key=is_open, rasterizer_processes=1)
    async with open_client(settings, FakeEngine()) as client:
        paths = [path for path in FIGURES if path not in ("/docs", "/openapi.json")]
        for path in (*FIGURES, *(f"/api/v1{path}" for path in paths)):
            answer = await client.get(path)
            assert answer.status_code == (200 if is_open else 401), path
            for shown in ({"X-API-Key": KEY}, {"Authorization": f"bearer {OTHER}"}):
                assert (await client.get(path, headers=shown)).status_code == 200, path
        for path in ("/health", "/ready", "/api/v1/health", "/api/v1/ready"):
            assert (await client.get(path)).status_code == 200
        assert (await client.post(PROCESS, headers={"X-API-Key": KEY})).status_code == 415
        assert (await client.post(PROCESS)).status_code == 401
        if not is_open:
            assert (await client.get("/static-offline-docs/favicon.png")).status_code == 401
            assert (await client.get("/metrics", headers={"X-API-Key": "x"})).status_code == 401


def asked(host: str | None, digest: str | None = None) -> Request:
    state = {"caller": digest} if digest else {}
    client = (host, 4711) if host else None
    return Request({"type": "http", "client": client, "state": state, "headers": []})


def test_a_key_names_its_caller_wherever_it_is_shown() -> None:
    assert caller_of(asked("192.0.2.1", "a" * 64)) == caller_of(asked("192.0.2.9", "a" * 64))
    assert caller_of(asked("192.0.2.1", "a" * 64)) != caller_of(asked("192.0.2.1", "b" * 64))


def test_without_a_key_the_address_does_and_is_not_told() -> None:
    assert caller_of(asked("192.0.2.1")) != caller_of(asked("192.0.2.2"))
    assert "192.0.2.1" not in caller_of(asked("192.0.2.1"))
    assert caller_of(asked(None))


def test_a_network_of_ipv6_is_one_caller() -> None:
    assert caller_of(asked("2001:db8::1")) == caller_of(asked("2001:db8::ffff:1"))
    assert caller_of(asked("2001:db8::1")) != caller_of(asked("2001:db8:0:1::1"))
    assert caller_of(asked("::ffff:192.0.2.1")) == caller_of(asked("192.0.2.1"))

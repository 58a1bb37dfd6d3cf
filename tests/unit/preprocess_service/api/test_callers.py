import hashlib

import pytest

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


async def test_pages_of_named_origins_may_ask():
    origin = "https://app.example.org"
    settings = Settings(cors_origins=origin, rasterizer_processes=1)
    async with open_client(settings, FakeEngine()) as client:
        asked = {"Access-Control-Request-Method": "POST"}
        allowed = await client.options(PROCESS, headers={**asked, "Origin": origin})
        assert allowed.headers["access-control-allow-origin"] == origin
        foreign = await client.options(PROCESS, headers={**asked, "Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in foreign.headers

"""What one caller does to another's time, measured on the whole service but Triton."""

import asyncio
import time

import httpx
import pytest

from preprocess_service.settings import Settings
from tests.fakes import FakeEngine
from tests.odd_files.bombs import slow_pages
from tests.unit.preprocess_service.conftest import open_client

URL = "/api/v1/ocr/process"
ABUSER, STRANGER = "a" * 16, "s" * 16


async def _read(client: httpx.AsyncClient, key: str, data: bytes) -> httpx.Response:
    answer = await client.post(URL, files={"file": data}, headers={"X-API-Key": key})
    assert key == ABUSER or answer.status_code == 200, answer.text
    return answer


async def _longest(client: httpx.AsyncClient, image: bytes) -> float:
    """Seconds of the slowest of a few."""
    longest = 0.0
    for _ in range(5):
        started = time.perf_counter()
        await _read(client, STRANGER, image)
        longest = max(longest, time.perf_counter() - started)
    return longest


@pytest.mark.parametrize("documents", [1, 8])
async def test_slow_pages_of_one_caller_at_most_double_the_time_of_another(make_image, documents):
    settings = Settings(
        rasterizer_processes=2, cache_ttl=0, api_keys=f"{ABUSER},{STRANGER}", max_batch_size=16
    )
    engine = FakeEngine()
    async with open_client(settings, engine) as client:
        image = make_image(size=(1000, 1400))
        await _longest(client, image)
        quiet = await _longest(client, image)
        read = len(engine.pages)
        attacks = [
            asyncio.create_task(_read(client, ABUSER, slow_pages(20))) for _ in range(documents)
        ]
        await _until_pages_wait(client, min(8 * documents, 12))
        beside = await _longest(client, image)
        assert len(engine.pages) == read + 5  # none of the slow pages was done in between
        for attack in attacks:
            attack.cancel()
        await asyncio.gather(*attacks, return_exceptions=True)
    assert beside < 2 * quiet + 1


async def _until_pages_wait(client: httpx.AsyncClient, count: int) -> None:
    for _ in range(6000):
        if (await client.get("/stats")).json()["queue"]["pages_in_flight"] == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the pages did not come")

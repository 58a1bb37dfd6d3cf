"""Odd, damaged and hostile files, where the set stands beside the checkout: each has its outcome.

The engine is a stand-in, so this is about everything before it.
"""

import asyncio
import json
import time
from pathlib import Path

import pytest
import pytest_asyncio

from preprocess_service.settings import Settings
from tests.fakes import FakeEngine
from tests.unit.preprocess_service.conftest import open_client

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "robust"
MANIFEST = FOLDER / "manifest.json"
ITEMS = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else []

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not ITEMS, reason="the robustness set is not there"),
]
URL = "/api/v1/ocr/process"
PAGE_TIMEOUT_SECONDS = 4.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client():
    settings = Settings(rasterizer_processes=2, page_timeout=PAGE_TIMEOUT_SECONDS)
    async with open_client(settings, FakeEngine()) as client:
        yield client


def _outcome(status: int) -> str:
    return {2: "ok", 4: "client_error"}.get(status // 100, f"status {status}")


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["file"])
async def test_file_has_an_accepted_outcome(client, item):
    data = (FOLDER / item["file"]).read_bytes()
    started = time.monotonic()
    response = await asyncio.wait_for(client.post(URL, files={"file": (item["file"], data)}), 60)
    assert _outcome(response.status_code) in item["accept"], response.text[:500]
    if response.status_code == 200 and item["pages"]:
        assert len(response.json()["pages"]) == item["pages"]
    assert time.monotonic() - started < 30


async def test_good_file_is_read_after_all_that(client, make_pdf):
    response = await client.post(URL, files={"file": make_pdf()})
    assert response.json()["status"] == "succeeded"

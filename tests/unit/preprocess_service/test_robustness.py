"""Odd, damaged and hostile files, each with its outcome.

The engine is a stand-in, so this is about everything before it.
"""

import asyncio

import pytest
import pytest_asyncio

from preprocess_service.settings import Settings
from tests.fakes import FakeEngine
from tests.odd_files import ODD_FILES, OddFile
from tests.unit.preprocess_service.conftest import open_client

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "/api/v1/ocr/process"
PAGE_TIMEOUT_SECONDS = 4.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client():
    settings = Settings(rasterizer_processes=2, page_timeout=PAGE_TIMEOUT_SECONDS)
    async with open_client(settings, FakeEngine()) as client:
        yield client


@pytest.mark.parametrize("file", ODD_FILES, ids=str)
async def test_file_has_its_outcome(client, file: OddFile):
    response = await asyncio.wait_for(
        client.post(URL, files={"file": (file.name, file.make())}), 60
    )
    assert response.status_code // 100 in file.outcomes, response.text[:500]
    if response.status_code == 200:
        assert len(response.json()["pages"]) == file.pages
    else:
        assert response.json()["detail"]


async def test_good_file_is_read_after_all_that(client, make_pdf):
    response = await client.post(URL, files={"file": make_pdf()})
    assert response.json()["status"] == "succeeded"

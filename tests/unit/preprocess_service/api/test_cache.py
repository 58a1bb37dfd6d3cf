"""Kept answers over HTTP, through the app as its settings make it."""

import asyncio

import pytest
import pytest_asyncio

from tests.fakes import FakeEngine
from tests.unit.preprocess_service.conftest import open_client
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "/api/v1/ocr/process"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(settings, module_engine: FakeEngine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    kept = settings.model_copy(update={"cache_ttl": 60, "data_dir": folder})
    async with open_client(kept, module_engine) as client:
        client.folder = folder
        yield client


async def _post(client, data, options=None, **headers):
    response = await client.post(URL, files={"file": data}, data=options or {}, headers=headers)
    assert response.status_code == 200, response.text
    return response


async def test_second_answer_is_the_first_under_its_own_id(client, engine, make_pdf):
    data = make_pdf("own id")
    first = await _post(client, data)
    second = await _post(client, data, **{"X-Request-ID": "second"})
    assert (first.headers["x-ocr-cache"], second.headers["x-ocr-cache"]) == ("miss", "hit")
    assert [answer.json()["cache_hit"] for answer in (first, second)] == [False, True]
    assert second.json()["request_id"] == second.headers["x-request-id"] == "second"
    assert second.json()["pages"] == first.json()["pages"]
    assert len(engine.pages) == 1


async def test_other_format_is_written_from_the_kept_document(client, engine, make_pdf):
    data = make_pdf("format", "format")
    await _post(client, data)
    text = await _post(client, data, {"output_format": "text", "merge_pages": "true"})
    assert text.headers["x-ocr-cache"] == "hit"
    assert text.text == "hello world\nhello world\n"
    assert len(engine.pages) == 2


async def test_cache_control_is_honoured(client, engine, make_pdf):
    data = make_pdf("cache-control")

    async def pages_read(**headers):
        before = len(engine.pages)
        await _post(client, data, **headers)
        return len(engine.pages) - before

    assert await pages_read(**{"Cache-Control": "max-age=60, No-Store"}) == 1
    assert await pages_read() == 1
    assert await pages_read() == 0
    assert await pages_read(**{"Cache-Control": "no-cache"}) == 1
    assert await pages_read(**{"Cache-Control": "max-age=0"}) == 0


async def test_password_is_part_of_the_question_and_kept_nowhere(client, engine, make_pdf):
    data = make_pdf("locked", encryption=4, user_pw="open-sesame", owner_pw="x")
    opened = await _post(client, data, {"password": "open-sesame"})
    again = await _post(client, data, {"password": "open-sesame"})
    assert (opened.json()["cache_hit"], again.json()["cache_hit"]) == (False, True)
    for password in ("", "wrong"):
        refused = await client.post(URL, files={"file": data}, data={"password": password})
        assert refused.json()["code"] == "encrypted_document"
    kept = [path for path in client.folder.rglob("*") if path.is_file()]
    assert kept
    assert not any(b"open-sesame" in path.read_bytes() for path in kept)


async def test_equal_requests_at_once_are_read_once(client, engine, make_pdf):
    data = make_pdf("at once")
    engine.gate = asyncio.Event()
    calls = [asyncio.create_task(_post(client, data)) for _ in range(20)]
    await until(lambda: engine.in_flight)
    engine.gate.set()
    answers = await asyncio.gather(*calls)
    assert len(engine.pages) == 1
    assert sorted(answer.headers["x-ocr-cache"] for answer in answers) == ["hit"] * 19 + ["miss"]


async def test_settings_can_turn_it_off(settings, make_pdf):
    engine = FakeEngine()
    async with open_client(settings, engine) as client:
        for _ in range(2):
            assert (await _post(client, make_pdf("off"))).headers["x-ocr-cache"] == "miss"
    assert len(engine.pages) == 2

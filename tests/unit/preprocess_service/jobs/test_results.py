"""Taking results: in turn, beside the event loop, and given up when the caller leaves."""

import threading
import zlib
from dataclasses import replace

import pytest

from preprocess_service import formatting
from preprocess_service.document import Document
from preprocess_service.jobs import pages
from tests.unit.preprocess_service.api.edge import serving_edge
from tests.unit.preprocess_service.jobs.conftest import (
    JOBS,
    finished,
    numbered_pdf,
    submit,
    until,
)
from tests.unit.preprocess_service.jobs.test_store import make_page

FORMATS = ("json", "text")


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"max_concurrent_results": 2, "results_per_caller": 1})


async def make_job(client) -> str:
    job_id = await submit(client, numbered_pdf(3))
    assert (await finished(client, job_id))["status"] == "succeeded"
    return f"{JOBS}/{job_id}/result?output_format="


async def test_json_comes_page_by_page_and_is_the_document(client, worker):
    answer = await client.get(await make_job(client) + "json")
    assert "content-length" not in answer.headers
    assert answer.headers["x-ocr-status"] == "succeeded"
    document = Document.model_validate_json(answer.content)
    assert answer.json() == document.model_dump(mode="json")
    assert [page.number for page in document.pages] == [1, 2, 3]


@pytest.mark.parametrize("output_format", FORMATS)
async def test_pages_are_unpacked_beside_the_event_loop(client, worker, monkeypatch, output_format):
    result = await make_job(client)
    name = {"json": "unpack_json", "text": "unpack_page"}[output_format]
    unpack, threads = getattr(pages, name), []
    monkeypatch.setattr(
        pages, name, lambda packed: (threads.append(threading.get_ident()), unpack(packed))[1]
    )
    assert (await client.get(result + output_format)).status_code == 200
    assert len(threads) == 3
    assert threading.get_ident() not in threads


async def test_who_leaves_holds_his_slot_as_long_as_the_work_goes_on(client, worker, monkeypatch):
    result = await make_job(client)
    goes_on, writes = threading.Event(), []

    def write(document):
        writes.append(document)
        goes_on.wait(10)
        return b""

    slow = replace(formatting.FORMATS["text"], write=formatting._from_text(write))
    monkeypatch.setitem(formatting.FORMATS, "text", slow)
    async with serving_edge(client._transport.app) as edge:
        _, writer = await edge.connect()
        writer.write(f"GET {result}text HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await until(lambda: writes)
        writer.close()
        for _ in range(6):
            refused = await client.get(result + "text")
            assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
            assert "RESULTS_PER_CALLER" in refused.json()["detail"]
            assert refused.headers["retry-after"]
        goes_on.set()
        await until(lambda: not edge.state.tasks)
    assert len(writes) == 1
    assert (await client.get(result + "json")).status_code == 200


async def test_what_is_asked_of_a_job_does_not_load_its_text(client, worker, redis, monkeypatch):
    result = await make_job(client)
    sent = []
    execute = type(redis).execute_command
    monkeypatch.setattr(
        type(redis),
        "execute_command",
        lambda self, *args, **options: (sent.append(args), execute(self, *args, **options))[1],
    )
    assert (await client.get(result.replace("result?output_format=", "status"))).status_code == 200
    assert sent
    assert not [args for args in sent if args[0] == "HGETALL" or "document" in args[2:]]


def test_pages_of_earlier_versions_are_read():
    result = make_page(1)
    packed = pages.pack_page(result)
    costs, page = zlib.decompress(packed).split(b"\n")
    earlier = zlib.compress(costs.removesuffix(b"}") + b', "page": ' + page + b"}")
    assert pages.unpack_page(earlier) == pages.unpack_page(packed) == result
    assert pages.unpack_json(packed) == page

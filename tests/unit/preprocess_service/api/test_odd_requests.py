"""Whatever a caller sends in whatever place: no answer blames the server for it."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from preprocess_service.settings import Settings
from tests.drawing import draw_pdf
from tests.fakes import FakeEngine
from tests.unit.preprocess_service.conftest import open_client
from tests.unit.preprocess_service.valkey import ValkeyProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

API = "/api/v1"
LONG, LONG_QUERY = 65_536, 32_768
PDF = draw_pdf([["a"]])
# Lone surrogates are JSON, but no text; the digits are more than Python makes a number of.
ODD = {
    "long": "x" * LONG,
    "digits": "9" * 5000,
    "commas": "1," * (LONG // 2),
    "not ASCII": "\u0661\U0001f600\u00e4",
    "control": "\x00\x07\x1b",
}
OPTIONS = (
    "page_range",
    "password",
    "language",
    "strategy",
    "dpi",
    "url",
    "callback_url",
    "nothing",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    valkey = ValkeyProcess(tmp_path_factory.mktemp("valkey"))
    valkey.start()
    settings = Settings(
        rasterizer_processes=1, cache_ttl=0, redis_url=valkey.url, webhook_secret="A" * 32,
        data_dir=tmp_path_factory.mktemp("data"),
    )  # fmt: skip
    async with open_client(settings, FakeEngine()) as client:
        yield client
    valkey.stop()


def _assert_refused(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, answer.text[:500]
    assert len(answer.content) < 8192


async def _job(client: httpx.AsyncClient) -> str:
    answer = await client.post(f"{API}/jobs/submit", files={"file": PDF})
    return f"{API}/jobs/{answer.json()['job_id']}"


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("odd", ODD)
async def test_options(client: httpx.AsyncClient, name: str, odd: str) -> None:
    # Any text is a password, and which languages there are is found out when the document is read.
    is_refused = name not in ("password", "language") or odd not in ("not ASCII", "control")
    fields = {"ocr/process": "file", "ocr/process-batch": "files", "jobs/submit": "file"}
    for path, field in fields.items():
        given = {"data": {name: ODD[odd]}, "files": {field: PDF}}
        answer = await client.post(f"{API}/{path}", **given)
        assert answer.status_code < 500, answer.text[:500]
        if is_refused:
            _assert_refused(answer)


@pytest.mark.parametrize("path", ["ocr/url", "jobs/submit"])
@pytest.mark.parametrize(
    "members",
    [
        {"url": "http://h/\ud800"},
        {"url": "http://h/", "language": "\ud800"},
        {"url": "http://h/", "\ud800": "1"},
        {"url": "http://h/", "x" * LONG: {}},
        {"url": "http://h/", "dpi": 10**400},
        {"url": ["http://h/"] * 5000 + ["http://i/"]},
    ],
)
async def test_json(client: httpx.AsyncClient, path: str, members: dict[str, object]) -> None:
    headers = {"Content-Type": "application/json"}
    _assert_refused(
        await client.post(f"{API}/{path}", content=json.dumps(members), headers=headers)
    )


async def test_headers_of_submissions(client: httpx.AsyncClient) -> None:
    for key in ("x" * 256, "x" * LONG, ""):
        headers = {"Idempotency-Key": key}
        _assert_refused(
            await client.post(f"{API}/jobs/submit", files={"file": PDF}, headers=headers)
        )
    # httpx counts bodies itself, unless they are streams.
    for length in ("9" * 5000, "9" * 30):
        headers = {"Content-Length": length, "Content-Type": "multipart/form-data; boundary=b"}
        _assert_refused(await client.post(f"{API}/jobs/submit", content=b"", headers=headers))


@pytest.mark.parametrize("given", ["9" * 5000, "9" * 400, "9" * 10, "-1", "1.5", "\xb2"])
async def test_the_last_event_id(client: httpx.AsyncClient, given: str) -> None:
    headers = {"Last-Event-ID": given.encode("latin-1")}
    _assert_refused(await client.get(f"{await _job(client)}/events", headers=headers))


@pytest.mark.parametrize("given", ["x" * 129, "x" * LONG, "a b", "\xff"])
async def test_a_request_id_that_is_none_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get(f"{API}/health", headers={"X-Request-ID": given.encode("latin-1")})
    assert answer.status_code == 200
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize("name", ["x" * LONG, "x" * 256])
async def test_names_of_files(client: httpx.AsyncClient, name: str) -> None:
    for path, field in (("ocr/process", "file"), ("ocr/process-batch", "files")):
        _assert_refused(await client.post(f"{API}/{path}", files={field: (name, PDF)}))


@pytest.mark.parametrize(
    "query",
    ["wait=nan", "wait=1e999", f"wait={'9' * 5000}", "wait=-0.1", f"wait={'x' * LONG_QUERY}"],
)
async def test_queries_of_jobs(client: httpx.AsyncClient, query: str) -> None:
    _assert_refused(await client.get(f"{await _job(client)}/status?{query}"))
    for other in ("limit=101", f"limit={'9' * 5000}", f"cursor={'0' * LONG_QUERY}", "status=lost"):
        _assert_refused(await client.get(f"{API}/jobs?{other}"))


@pytest.mark.parametrize("job_id", ["x" * LONG_QUERY, "0" * 33, "%00", "%ff", "..%2f"])
async def test_ids_of_jobs(client: httpx.AsyncClient, job_id: str) -> None:
    _assert_refused(await client.get(f"{API}/jobs/{job_id}/status"))


@pytest.mark.parametrize("accept", ["x" * LONG, "text/plain;q=nan", ";;;,,,", "*/*;q=-1"])
async def test_accept(client: httpx.AsyncClient, accept: str) -> None:
    answer = await client.post(
        f"{API}/ocr/process", files={"file": PDF}, headers={"Accept": accept}
    )
    assert answer.status_code in (200, 406)
    assert len(answer.content) < 8192

"""Every row of the error table is provoked over HTTP: its status and its problem body come."""

import asyncio
import errno
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx
import pymupdf
import pytest

from preprocess_service import errors
from preprocess_service.problem import ServiceError
from preprocess_service.settings import Settings
from preprocess_service.storage import uploads
from tests.fakes import FakeEngine
from tests.odd_files.bombs import crowded_pages
from tests.processes import hear
from tests.unit.preprocess_service.api.edge import serving_edge
from tests.unit.preprocess_service.conftest import open_client
from tests.unit.preprocess_service.fetching.servers import serving
from tests.unit.preprocess_service.jobs.conftest import finished, numbered_pdf, running_worker
from tests.unit.preprocess_service.valkey import ValkeyProcess
from tests.waiting import until

PROCESS, URL, JOBS = "/api/v1/ocr/process", "/api/v1/ocr/url", "/api/v1/jobs"
PDF = {"file": numbered_pdf(1)}
NO_JOB = f"{JOBS}/{'0' * 32}"


@dataclass
class World:
    """A service with a Valkey and a web server of its own, and the engine that it asks."""

    client: httpx.AsyncClient
    engine: FakeEngine
    settings: Settings
    web: str
    monkeypatch: pytest.MonkeyPatch

    async def process(self, data: bytes | None = None, **options: str) -> httpx.Response:
        files = PDF if data is None else {"file": data}
        return await self.client.post(PROCESS, files=files, data={"text_layer": "ignore"} | options)

    async def submit(self, **more: object) -> httpx.Response:
        return await self.client.post(f"{JOBS}/submit", **{"files": PDF, **more})

    async def fetch(self, url: str) -> httpx.Response:
        return await self.client.post(URL, json={"url": url})


Provoke = Callable[[World], Awaitable[httpx.Response]]
CASES: dict[str, tuple[Provoke, dict[str, object]]] = {}


def case(code: str, **settings: object) -> Callable[[Provoke], Provoke]:
    def add(provoke: Provoke) -> Provoke:
        CASES[code] = provoke, settings
        return provoke

    return add


def ends_with(code: str, error: ServiceError) -> None:
    """What the engine says of a page is what the caller of one page hears."""

    @case(code)
    async def provoke(world: World) -> httpx.Response:
        world.engine.outcomes = [error]
        return await world.process()


ends_with("engine_timeout", errors.EngineTimeoutError("Too slow."))
ends_with("engine_failed", errors.EngineFailedError("Failed."))
ends_with("engine_contract", errors.EngineContractError("Wrong tensors."))
ends_with("engine_unavailable", errors.EngineUnavailableError("Away."))


@case("internal_error")
async def _(world):
    world.monkeypatch.setattr(world.engine, "recognize", None)
    return await world.process()


@case("not_found")
async def _(world):
    return await world.client.get("/api/v1/nothing")


@case("method_not_allowed")
async def _(world):
    return await world.client.get(PROCESS)


@case("malformed_request")
async def _(world):
    async with serving_edge() as edge:
        answer = await edge.exchange(b"EHLO example.org\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines]
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)


@case("request_head_too_large", max_headers=20)
async def _(world):
    async with (
        serving_edge(max_headers=world.settings.max_headers) as edge,
        httpx.AsyncClient() as one,
    ):
        many = {f"X-{number}": "x" for number in range(20)}
        return await one.get(f"http://127.0.0.1:{edge.port}/", headers=many)


@case("not_acceptable")
async def _(world):
    return await world.client.post(PROCESS, files=PDF, headers={"Accept": "image/png"})


@case("invalid_request")
async def _(world):
    return await world.client.post(PROCESS, files={"other": b"x"})


@case("invalid_options")
async def _(world):
    return await world.process(dpi="7")


@case("unsupported_media_type")
async def _(world):
    return await world.process(b"<html>")


@case("document_too_large", max_file_size_mb=1)
async def _(world):
    return await world.process(bytes(2 << 20))


@case("too_many_pages", pdf_max_pages=1)
async def _(world):
    return await world.process(numbered_pdf(2))


@case("page_too_large", max_pixels=1_000_000)
async def _(world):
    with pymupdf.open() as pdf:
        pdf.new_page(width=1200, height=1200)
        return await world.process(pdf.tobytes(), dpi="72")


@case("result_too_large")
async def _(world):
    crowded = crowded_pages(1, 18_000)
    return await world.process(crowded, text_layer="only", words="true", dpi="72")


@case("invalid_document")
async def _(world):
    return await world.process(b"%PDF-1.7 and nothing else")


@case("encrypted_document")
async def _(world):
    with pymupdf.open() as pdf:
        pdf.new_page()
        locked = pdf.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="a", owner_pw="b")
    return await world.process(locked, password="wrong")


@case("document_too_costly", page_timeout=0.5)
async def _(world):
    with pymupdf.open() as pdf:
        page = pdf.new_page()
        page.insert_text((9, 99), "x")
        (stream,) = page.get_contents()
        pdf.update_stream(stream, b"0 0 m 600 800 l 600 0 l 0 800 l f\n" * 400_000)
        return await world.process(pdf.tobytes())


@case("queue_full", max_concurrent_documents=1)
async def _(world):
    world.engine.gate = asyncio.Event()
    first = asyncio.create_task(world.process())
    await until(lambda: world.engine.in_flight)
    second = await world.process()
    world.engine.gate.set()
    assert (await first).status_code == 200
    return second


@case("deadline_exceeded", request_timeout=0.3)
async def _(world):
    world.engine.gate = asyncio.Event()
    return await world.process()


@case("job_not_found")
async def _(world):
    return await world.client.get(f"{NO_JOB}/status")


@case("job_canceled")
async def _(world):
    job = (await world.submit()).json()
    await world.client.delete(f"{JOBS}/{job['job_id']}")
    return await world.client.get(job["result_url"])


@case("job_abandoned")
async def _(world):
    job = (await world.submit()).json()
    shutil.rmtree(world.settings.data_dir / "jobs")
    async with running_worker(world.settings, world.engine):
        await finished(world.client, job["job_id"])
    return await world.client.get(job["result_url"])


@case("idempotency_key_reused")
async def _(world):
    key = {"Idempotency-Key": "once"}
    assert (await world.submit(headers=key)).status_code == 202
    return await world.submit(headers=key, data={"dpi": "72"})


@case("jobs_unavailable", redis_url=None)
async def _(world):
    return await world.submit()


@case("storage_unavailable", job_storage_url="/dev/null/jobs")
async def _(world):
    return await world.submit()


@case("storage_full")
async def _(world):
    no_room = OSError(errno.ENOSPC, "No space left on device")
    world.monkeypatch.setattr(uploads, "_copy", _raise(no_room))
    return await world.submit()


@case("unauthorized", api_keys="0123456789abcdef")
async def _(world):
    return await world.process()


@case("rate_limited", rate_limit_per_minute=1)
async def _(world):
    assert (await world.process()).status_code == 200
    return await world.process()


@case("upload_too_slow", upload_timeout=0.1)
async def _(world):
    async def body() -> AsyncIterator[bytes]:
        yield b"--x\r\n"
        await asyncio.Event().wait()

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    return await world.client.post(PROCESS, content=body(), headers=form)


@case("shutting_down")
async def _(world):
    world.engine.gate = asyncio.Event()
    first = asyncio.create_task(world.process())
    await until(lambda: world.engine.in_flight)
    hear(signal.SIGTERM)
    refused = await world.client.get(JOBS)
    while refused.status_code == 200:  # until the loop has heard the signal
        refused = await world.client.get(JOBS)
    world.engine.gate.set()
    assert (await first).status_code == 200
    return refused


@case("url_forbidden")
async def _(world):
    return await world.fetch("http://127.0.0.1:1/")


@case("url_refused")
async def _(world):
    return await world.fetch(f"{world.web}/status/404")


@case("url_unreachable")
async def _(world):
    return await world.fetch(f"{world.web}/status/500")


@case("url_timeout", url_timeout=0.2)
async def _(world):
    return await world.fetch(f"{world.web}/slow")


def _raise(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    process = ValkeyProcess(tmp_path_factory.mktemp("valkey"))
    process.start()
    yield process
    process.stop()


@pytest.mark.parametrize("code", errors.ERRORS)
async def test_problem_comes_as_documented(code, valkey, tmp_path, monkeypatch):
    provoke, changes = CASES[code]
    error, engine = errors.ERRORS[code], FakeEngine()
    with serving() as web:
        usual = {"redis_url": valkey.url, "data_dir": tmp_path, "url_allowed_hosts": web.host}
        settings = Settings(**{"rasterizer_processes": 1, "cache_ttl": 0, **usual, **changes})
        async with open_client(settings, engine) as client:
            answer = await provoke(World(client, engine, settings, web.url, monkeypatch))
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (error.status, code), problem
    assert (problem["title"], problem["retryable"]) == (error.title, error.retryable)
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert ("retry-after" in answer.headers) == (error.retry_after_seconds is not None)

"""Messages to `callback_url`, taken by a real HTTP receiver that checks their signature."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from redis.asyncio import Redis
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from preprocess_service import wiring as module
from preprocess_service.errors import EngineContractError
from preprocess_service.fetching.client import make_client
from preprocess_service.jobs.files import JobFiles
from preprocess_service.jobs.retrying import Backoff, TryAgain
from preprocess_service.jobs.store import JobStore
from preprocess_service.jobs.webhooks import Delivery, Webhooks
from preprocess_service.wiring import Web, run_worker
from tests.unit.preprocess_service.conftest import open_client
from tests.unit.preprocess_service.jobs.conftest import (
    JOBS,
    finished,
    numbered_pdf,
    running_worker,
    submit,
    until,
)
from tests.unit.preprocess_service.jobs.test_store import make_submission
from tests.unit.preprocess_service.jobs.worker_process import no_download

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver(HTTPServer):
    """Answers `statuses` in turn, then 204; keeps what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.messages: list[tuple[dict[str, str], bytes]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/done"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
async def worker(settings, engine, redis, receiver, monkeypatch):
    """A worker that may call the receiver, and tries again soon."""
    monkeypatch.setattr(module, "_WEBHOOK_BACKOFF", Backoff(0.05, 0.05))
    task = asyncio.create_task(
        run_worker(settings, engine, Web(make_client([receiver.host], 5), no_download))
    )
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def told(client: httpx.AsyncClient, job_id: str, state: str) -> dict:
    async def is_told() -> bool:
        return (await client.get(f"{JOBS}/{job_id}/status")).json()["webhook"] == state

    await until(is_told)
    return dict((await client.get(f"{JOBS}/{job_id}/status")).json())


async def test_the_end_of_a_job_is_told_and_signed(client, worker, receiver):
    job_id = await submit(client, numbered_pdf(2), callback_url=receiver.url)
    await told(client, job_id, "delivered")
    ((headers, body),) = receiver.messages
    message = Webhook(SECRET).verify(body, headers)
    assert message["type"] == "job.succeeded"
    assert (message["data"]["job_id"], message["data"]["pages_done"]) == (job_id, 2)
    assert "webhook" not in message["data"]
    forged = json.dumps({**message, "type": "job.failed"})
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(forged, headers)


async def test_the_message_of_a_job_given_up_invites_no_repetition(
    client, worker, receiver, engine
):
    engine.outcomes = [EngineContractError("wrong tensors")]
    job_id = await submit(client, numbered_pdf(1), callback_url=receiver.url)
    status = await told(client, job_id, "delivered")
    message = json.loads(receiver.messages[0][1])
    assert message["type"] == "job.failed"
    assert message["data"]["problem"] == status["problem"]
    assert (status["problem"]["code"], status["problem"]["retryable"]) == ("job_abandoned", False)


async def test_a_message_that_is_not_taken_comes_again_under_the_same_id(client, worker, receiver):
    receiver.statuses = [500, 302, 503]
    job_id = await submit(client, numbered_pdf(1), callback_url=receiver.url)
    status = await told(client, job_id, "delivered")
    assert status["webhook_attempts"] == len(receiver.messages) == 4
    assert {headers["webhook-id"] for headers, _ in receiver.messages} == {f"msg_{job_id}"}


async def test_a_receiver_that_is_gone_is_left_alone(client, worker, receiver):
    receiver.statuses = [410]
    job_id = await submit(client, numbered_pdf(1), callback_url=receiver.url)
    await told(client, job_id, "failed")
    assert len(receiver.messages) == 1


async def test_a_message_is_given_up_in_the_end(redis, engine, settings, receiver, monkeypatch):
    monkeypatch.setattr(module, "_WEBHOOK_BACKOFF", Backoff(0.05, 0.05))
    hasty = settings.model_copy(update={"webhook_give_up": 1.0})
    receiver.statuses = [500] * 100
    web = Web(make_client([receiver.host], 5), no_download)
    async with open_client(hasty, engine) as client:
        task = asyncio.create_task(run_worker(hasty, engine, web))
        job_id = await submit(client, numbered_pdf(1), callback_url=receiver.url)
        status = await told(client, job_id, "failed")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert status["webhook_attempts"] > 1
    assert status["status"] == "succeeded"


async def test_a_cancel_is_told_too(client, engine, receiver, settings, request):
    job_id = await submit(client, numbered_pdf(1), callback_url=receiver.url)
    await client.delete(f"{JOBS}/{job_id}")
    web = Web(make_client([receiver.host], 5), no_download)
    task = asyncio.create_task(run_worker(settings, engine, web))
    await told(client, job_id, "delivered")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert json.loads(receiver.messages[0][1])["type"] == "job.canceled"


async def test_an_address_inside_is_not_called(client, settings, engine, receiver, monkeypatch):
    monkeypatch.setattr(module, "_WEBHOOK_BACKOFF", Backoff(0.05, 0.05))
    inner = settings.model_copy(update={"webhook_give_up": 0.0})
    task = asyncio.create_task(run_worker(inner, engine, Web(make_client([], 5), no_download)))
    job_id = await submit(client, numbered_pdf(1), callback_url=receiver.url)
    await told(client, job_id, "failed")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert receiver.messages == []


@asynccontextmanager
async def dripping() -> AsyncIterator[tuple[str, list[int]]]:
    """A receiver that sends a head without end; how many connections it has now."""
    held = [0]

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held[0] += 1
        writer.write(b"HTTP/1.1 200 OK\r\nX-More: ")
        with contextlib.suppress(OSError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        held[0] -= 1

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield host, held


async def test_a_receiver_that_drips_delays_no_job_and_is_cut_off(
    settings, engine, redis, monkeypatch
):
    monkeypatch.setattr(module, "_WEBHOOK_BACKOFF", Backoff(0.05, 0.05))
    narrow = settings.model_copy(
        update={
            "job_concurrency": 1,
            "webhook_concurrency": 8,
            "webhook_timeout": 0.5,
            "webhook_give_up": 0.5,
        }
    )
    async with dripping() as (host, held), open_client(narrow, engine) as client:
        web = Web(make_client([host], 60), no_download)
        async with running_worker(narrow, engine, web):
            dripped = [
                await submit(client, numbered_pdf(1), callback_url=f"http://{host}/{number}")
                for number in range(4)
            ]
            await until(lambda: held[0] == 2)  # a quarter of what may be sent at once
            quiet = await submit(client, numbered_pdf(1))
            assert (await finished(client, quiet))["status"] == "succeeded"
            for job_id in dripped:
                await told(client, job_id, "failed")
            assert held[0] <= 2


async def test_without_a_secret_a_callback_is_refused(settings, engine, redis):
    mute = settings.model_copy(update={"webhook_secret": None})
    async with open_client(mute, engine) as client:
        answer = await client.post(
            f"{JOBS}/submit",
            files={"file": numbered_pdf(1)},
            data={"callback_url": "https://example.com/done"},
        )
    assert answer.status_code == 422
    assert "WEBHOOK_SECRET" in answer.json()["detail"]


async def test_connection_that_breaks_below_http_is_tried_again(redis: Redis) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise ConnectionResetError("by the peer")

    store = JobStore(redis, 60, telling_seconds=60, storage_bytes=1 << 20)
    submission = make_submission(callback_url="http://receiver.example/done")
    job_id = await store.create(submission, JobFiles(None), upload_bytes=0, room=10)
    assert job_id is not None
    await store.cancel(job_id)
    async with httpx.AsyncClient(transport=httpx.MockTransport(broken)) as client:
        webhooks = Webhooks(
            store, client, Delivery(SECRET, Backoff(1, 1), 60, timeout_seconds=5, most_per_host=1)
        )
        with pytest.raises(TryAgain):
            await webhooks.deliver(job_id)

"""Messages to `callback_url`, taken by a real HTTP receiver that checks their signature."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from preprocess_service import worker as module
from preprocess_service.fetching.client import make_client
from preprocess_service.jobs.retrying import Backoff
from preprocess_service.worker import Web, work
from tests.unit.preprocess_service.conftest import open_client
from tests.unit.preprocess_service.jobs.conftest import JOBS, numbered_pdf, submit, until
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
        work(settings, engine, Web(make_client([receiver.host], 5), no_download))
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
    hasty = settings.model_copy(update={"webhook_give_up": 0.2})
    receiver.statuses = [500] * 100
    web = Web(make_client([receiver.host], 5), no_download)
    async with open_client(hasty, engine) as client:
        task = asyncio.create_task(work(hasty, engine, web))
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
    task = asyncio.create_task(work(settings, engine, web))
    await told(client, job_id, "delivered")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert json.loads(receiver.messages[0][1])["type"] == "job.canceled"


async def test_an_address_inside_is_not_called(client, settings, engine, receiver, monkeypatch):
    monkeypatch.setattr(module, "_WEBHOOK_BACKOFF", Backoff(0.05, 0.05))
    inner = settings.model_copy(update={"webhook_give_up": 0.0})
    task = asyncio.create_task(work(inner, engine, Web(make_client([], 5), no_download)))
    job_id = await submit(client, numbered_pdf(1), callback_url=receiver.url)
    await told(client, job_id, "failed")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert receiver.messages == []


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

"""Jobs over HTTP, with a worker in the same process and a real Valkey."""

import asyncio
import contextlib
import json
from dataclasses import replace

import httpx
import pytest
from redis.asyncio import Redis

from preprocess_service.errors import (
    EngineContractError,
    EngineFailedError,
    EngineUnavailableError,
)
from preprocess_service.settings import Settings
from tests.fakes import FakeEngine, make_line
from tests.unit.preprocess_service.conftest import open_client
from tests.unit.preprocess_service.jobs.conftest import (
    JOBS,
    finished,
    numbered_pdf,
    running_worker,
    submit,
    until,
)


async def test_a_submitted_document_is_read_and_its_result_given(client, worker):
    answer = await client.post(
        f"{JOBS}/submit", files={"file": numbered_pdf(3)}, data={"text_layer": "ignore"}
    )
    assert answer.status_code == 202
    accepted = answer.json()
    assert accepted["status"] == "queued"
    assert answer.headers["Location"] == accepted["status_url"]
    status = await finished(client, accepted["job_id"])
    assert (status["status"], status["pages_done"], status["pages_total"]) == ("succeeded", 3, 3)
    result = await client.get(accepted["result_url"])
    assert result.status_code == 200
    assert [page["number"] for page in result.json()["pages"]] == [1, 2, 3]
    text = await client.get(accepted["result_url"], params={"output_format": "text"})
    assert text.text.count("hello world") == 3


async def test_before_the_end_the_result_is_202(client):
    job_id = await submit(client, numbered_pdf(1))
    answer = await client.get(f"{JOBS}/{job_id}/result")
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
    assert answer.headers["retry-after"]


async def test_a_job_says_no_more_than_a_request_may(redis, settings, engine):
    engine.default = replace(engine.default, lines=(make_line("word " * 12_000),))
    tight = settings.model_copy(update={"max_result_mb": 1, "document_pages_in_flight": 1})
    async with open_client(tight, engine) as client, running_worker(tight, engine):
        job_id = await submit(client, numbered_pdf(12))
        status = await finished(client, job_id)
        result = (await client.get(f"{JOBS}/{job_id}/result")).json()
    assert (status["status"], result["status"]) == ("succeeded", "partial")
    codes = [page["problem"] and page["problem"]["code"] for page in result["pages"]]
    assert codes == [None] * 8 + ["result_too_large"] * 4
    assert len(engine.pages) == 9


@pytest.mark.parametrize("job_id", ["0" * 32, "nonsense", "a:pages"])
@pytest.mark.parametrize("what", ["status", "result", "events"])
async def test_an_unknown_job_is_404(client, job_id, what):
    answer = await client.get(f"{JOBS}/{job_id}/{what}")
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


async def test_the_problem_of_a_document_is_the_answer(client, worker):
    job_id = await submit(client, b"%PDF-1.7 and nothing else")
    status = await finished(client, job_id)
    assert (status["status"], status["dead_letter"]) == ("failed", False)
    answer = await client.get(f"{JOBS}/{job_id}/result")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_document")


async def test_what_is_no_document_or_no_option_is_refused_at_once(client):
    answer = await client.post(f"{JOBS}/submit", files={"file": b"plain"})
    assert answer.status_code == 415
    answer = await client.post(f"{JOBS}/submit", files={"file": numbered_pdf(1)}, data={"dpi": "7"})
    assert answer.json()["code"] == "invalid_options"
    answer = await client.post(f"{JOBS}/submit", data={"dpi": "70"})
    assert answer.json()["code"] == "invalid_request"
    answer = await client.post(f"{JOBS}/submit", json={"url": "ftp://example.com/a"})
    assert answer.json()["code"] == "invalid_options"
    assert (await client.get(JOBS)).json()["jobs"] == []


async def test_without_a_store_jobs_are_503_and_the_rest_goes_on(settings, engine):
    alone = settings.model_copy(update={"redis_url": None})
    async with open_client(alone, engine) as client:
        for answer in (
            await client.post(f"{JOBS}/submit", files={"file": numbered_pdf(1)}),
            await client.get(JOBS),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "jobs_unavailable")
            assert answer.headers["retry-after"]
        answer = await client.post("/api/v1/ocr/process", files={"file": numbered_pdf(1)})
        assert answer.status_code == 200


async def test_the_same_key_and_document_find_the_first_job(client):
    pdf, headers = numbered_pdf(1), {"Idempotency-Key": "order 7"}

    async def post(pdf: bytes, **data: str) -> httpx.Response:
        return await client.post(f"{JOBS}/submit", files={"file": pdf}, data=data, headers=headers)

    answers = await asyncio.gather(*(post(pdf) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 202]
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    for other in (await post(numbered_pdf(2)), await post(pdf, dpi="70")):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len((await client.get(JOBS)).json()["jobs"]) == 1


async def test_a_repeated_submission_leaves_no_second_upload(client, settings):
    headers = {"Idempotency-Key": "order 8"}
    for _ in range(2):
        await client.post(f"{JOBS}/submit", files={"file": numbered_pdf(1)}, headers=headers)
    uploads = settings.data_dir.glob("jobs/*/*")
    assert len(list(uploads)) == 1


async def test_a_full_queue_is_429(client, settings, engine):
    small = settings.model_copy(update={"job_queue_size": 1})
    async with open_client(small, engine) as client:
        await submit(client, numbered_pdf(1))
        answer = await client.post(f"{JOBS}/submit", files={"file": numbered_pdf(1)})
        assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
        assert answer.headers["retry-after"]


async def test_a_waiting_job_is_canceled_for_good(client, engine, settings):
    job_id = await submit(client, numbered_pdf(1))
    assert (await client.delete(f"{JOBS}/{job_id}")).status_code == 204

    async with running_worker(settings, engine):
        other = await submit(client, numbered_pdf(1))
        await finished(client, other)
    assert (await finished(client, job_id))["status"] == "canceled"
    answer = await client.get(f"{JOBS}/{job_id}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_canceled")
    assert len(engine.pages) == 1


async def test_canceling_stops_the_reading(client, worker, engine):
    engine.gate = asyncio.Event()
    job_id = await submit(client, numbered_pdf(20))
    await until(lambda: engine.in_flight)
    assert (await client.delete(f"{JOBS}/{job_id}")).status_code == 202
    # Where the message to the worker is lost the job ends with the page that is being read.
    with contextlib.suppress(AssertionError):
        await until(lambda: engine.canceled and not engine.in_flight, seconds=5)
    engine.gate.set()
    status = await finished(client, job_id)
    assert (status["status"], status["pages_done"]) == ("canceled", 0)
    await until(lambda: not engine.in_flight)
    assert len(engine.pages) < 10
    assert (await client.delete(f"{JOBS}/{job_id}")).status_code == 204


async def test_a_long_poll_answers_at_the_end_not_after_its_time(client, worker, engine):
    engine.gate = asyncio.Event()
    job_id = await submit(client, numbered_pdf(1))
    answer = await client.get(f"{JOBS}/{job_id}/status", params={"wait": 0.2})
    assert answer.json()["status"] in ("queued", "running")
    waiting = asyncio.create_task(finished(client, job_id))
    await until(lambda: engine.in_flight)
    started = asyncio.get_running_loop().time()
    engine.gate.set()
    assert (await waiting)["status"] == "succeeded"
    assert asyncio.get_running_loop().time() - started < 1.5


def parse_events(text: str) -> list[tuple[str, str, dict]]:
    events = []
    for block in text.replace("\r\n", "\n").strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line[:1] != ":")
        if fields:
            events.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return events


async def test_events_tell_each_page_once_and_go_on_where_they_were_left(client, worker):
    job_id = await submit(client, numbered_pdf(4))
    events = parse_events((await client.get(f"{JOBS}/{job_id}/events")).text)
    assert [(event_id, name) for event_id, name, _ in events] == [
        ("1", "page"), ("2", "page"), ("3", "page"), ("4", "page"), ("end", "end"),
    ]  # fmt: skip
    assert sorted(data["page"] for _, name, data in events if name == "page") == [1, 2, 3, 4]
    assert events[-1][2]["status"] == "succeeded"
    later = await client.get(f"{JOBS}/{job_id}/events", headers={"Last-Event-ID": "3"})
    assert parse_events(later.text) == events[3:]
    last = await client.get(f"{JOBS}/{job_id}/events", headers={"Last-Event-ID": "end"})
    assert last.status_code == 204


async def test_an_engine_that_is_away_costs_no_attempt(client, engine, redis, worker, monkeypatch):
    from preprocess_service.jobs import runner

    monkeypatch.setattr(runner, "_ENGINE_AWAY_SECONDS", 0.1)
    engine.away = EngineUnavailableError("away")
    job_id = await submit(client, numbered_pdf(1))
    await asyncio.sleep(1.5)

    async def given_back():
        """Between two looks; it runs for the moment of each."""
        status = (await client.get(f"{JOBS}/{job_id}/status")).json()
        return (status["status"], status["attempts"]) == ("queued", 0)

    await until(given_back)
    engine.away = None
    assert (await finished(client, job_id))["status"] == "succeeded"


async def test_pages_on_which_the_engine_failed_are_read_again_and_only_those(
    client, worker, engine
):
    engine.outcomes = [EngineFailedError("model process died"), engine.default, engine.default]
    job_id = await submit(client, numbered_pdf(3))
    assert (await finished(client, job_id))["status"] == "succeeded"
    assert len(engine.pages) == 4
    document = (await client.get(f"{JOBS}/{job_id}/result")).json()
    assert document["status"] == "succeeded"


async def test_what_cannot_succeed_becomes_a_dead_letter_that_is_listed(client, worker, engine):
    engine.outcomes = [EngineContractError("wrong tensors")]
    job_id = await submit(client, numbered_pdf(1))
    status = await finished(client, job_id)
    assert (status["status"], status["dead_letter"]) == ("failed", True)
    dead = (await client.get(JOBS, params={"dead_letter": True})).json()["jobs"]
    assert [job["job_id"] for job in dead] == [job_id]
    await assert_given_up(client, job_id, "engine_contract")


async def assert_given_up(client: httpx.AsyncClient, job_id: str, cause: str) -> None:
    """Wherever the job tells its problem, it is the same and none that asks for a repetition."""
    answer = await client.get(f"{JOBS}/{job_id}/result")
    assert answer.status_code == 409
    assert "retry-after" not in answer.headers
    problem = answer.json()
    assert (problem["code"], problem["status"], problem["retryable"]) == (
        "job_abandoned", 409, False,
    )  # fmt: skip
    assert cause in problem["detail"]
    assert "Submit the document again" in problem["detail"]
    told = [(await client.get(f"{JOBS}/{job_id}/status")).json()["problem"]]
    told += [(await client.get(JOBS, params={"status": "failed"})).json()["jobs"][0]["problem"]]
    events = parse_events((await client.get(f"{JOBS}/{job_id}/events")).text)
    told += [events[-1][2]["problem"]]
    request_ids = {"request_id": ""}
    assert [{**item, **request_ids} for item in told] == [{**problem, **request_ids}] * 3


async def test_after_the_last_attempt_a_failing_engine_is_a_dead_letter(
    settings: Settings, engine: FakeEngine, redis: Redis
):

    engine.outcomes = [EngineUnavailableError("gone while reading")] * 5
    few = settings.model_copy(update={"job_max_attempts": 2})
    async with open_client(few, engine) as client, running_worker(few, engine):
        job_id = await submit(client, numbered_pdf(1))
        status = await finished(client, job_id)
        await assert_given_up(client, job_id, "engine_unavailable")
    assert (status["dead_letter"], status["attempts"]) == (True, 2)
    assert len(engine.pages) == 2


async def test_a_job_past_its_deadline_fails(client, settings, engine):

    short = settings.model_copy(update={"job_timeout": 3.0})
    engine.gate = asyncio.Event()
    async with open_client(short, engine) as client, running_worker(short, engine):
        job_id = await submit(client, numbered_pdf(1))
        await finished(client, job_id)
        await assert_given_up(client, job_id, "deadline_exceeded")
    assert engine.canceled

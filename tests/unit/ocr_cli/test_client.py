"""What the client does when a server is busy, refuses, restarts, or takes jobs."""

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.processes import running
from tests.unit.ocr_cli.conftest import png, serving


def _problem(status, code, *, retryable, **headers):
    problem = {"status": status, "code": code, "detail": f"says {code}", "retryable": retryable}
    return Response(json.dumps(problem), status, headers, "application/problem+json")


class ScriptedServer:
    """Answers uploads and submissions with what `answers` holds, then with success."""

    def __init__(self, answers=(), states=("succeeded",)):
        self.answers = list(answers)
        self.states = list(states)
        self.requests = []
        self.keys = []
        self.waits = []
        self.canceled = []
        self.sizes = []

    def app(self):
        return Starlette(
            routes=[
                Route("/api/v1/health", lambda request: JSONResponse({"status": "ok"})),
                Route("/api/v1/ocr/process", self._process, methods=["POST"]),
                Route("/api/v1/jobs/submit", self._submit, methods=["POST"]),
                Route("/api/v1/jobs/j1/status", self._status),
                Route("/api/v1/jobs/j1/result", self._result),
                Route("/api/v1/jobs/j1", self._cancel, methods=["DELETE"]),
            ]
        )

    async def _process(self, request):
        self.requests.append(request.headers)
        async with request.form() as form:
            self.sizes.append(form["file"].size)
        return self.answers.pop(0) if self.answers else PlainTextResponse("read\n")

    async def _submit(self, request):
        self.keys.append(request.headers["idempotency-key"])
        await request.form()
        if self.answers:
            return self.answers.pop(0)
        return JSONResponse({"job_id": "j1", "status": "queued"}, 202)

    async def _status(self, request):
        self.waits.append(int(request.query_params["wait"]))
        state = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        if state == "running" and len(self.states) == 1:
            await asyncio.sleep(0.01)
        problem = {"code": "engine_unavailable", "detail": "Triton is away."}
        return JSONResponse(
            {
                "status": state,
                "pages_done": 1,
                "pages_total": 2,
                "problem": problem if state == "failed" else None,
            }
        )

    async def _result(self, request):
        return PlainTextResponse("from the job\n")

    async def _cancel(self, request):
        self.canceled.append(request.url.path)
        return Response(status_code=204)


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.png"
    path.write_bytes(png())
    return path


@pytest.mark.parametrize("status", [429, 503])
def test_busy_server_is_asked_again_when_it_says(ocr, page, status):
    busy = _problem(status, "busy", retryable=True, **{"Retry-After": "1"})
    scripted = ScriptedServer([busy, PlainTextResponse("second\n")])
    with serving(scripted.app()) as url:
        started = time.monotonic()
        outcome = ocr("scan", page, "--server", url)
    assert (outcome.status, outcome.out) == (0, b"second\n")
    assert time.monotonic() - started >= 1
    assert scripted.sizes == [page.stat().st_size] * 2


def test_patience_ends(ocr, page):
    full = _problem(429, "queue_full", retryable=True, **{"Retry-After": "5"})
    with serving(ScriptedServer([full]).app()) as url:
        outcome = ocr("scan", page, "--patience", "1", "--server", url)
    assert outcome.status == 1
    assert "says queue_full (queue_full)" in outcome.err


def test_problem_that_trying_again_does_not_mend_is_not_tried_again(ocr, page):
    answer = _problem(503, "jobs_unavailable", retryable=False, **{"Retry-After": "1"})
    scripted = ScriptedServer([answer])
    with serving(scripted.app()) as url:
        outcome = ocr("scan", page, "--jobs", "--server", url)
    assert (outcome.status, len(scripted.keys)) == (3, 1)
    assert "says jobs_unavailable" in outcome.err


def test_refused_key_is_2_and_a_good_one_is_sent(ocr, page):
    scripted = ScriptedServer([_problem(401, "unauthorized", retryable=False)])
    with serving(scripted.app()) as url:
        refused = ocr("scan", page, "--server", url)
        ocr("scan", page, "--server", url, "--api-key", "secret")
    assert refused.status == 2
    assert "says unauthorized" in refused.err
    assert "authorization" not in scripted.requests[0]
    assert scripted.requests[1]["authorization"] == "Bearer secret"


def test_answer_of_a_proxy_is_told_by_its_status(ocr, page):
    with serving(ScriptedServer([PlainTextResponse("<html>", 502)]).app()) as url:
        outcome = ocr("scan", page, "--server", url)
    assert outcome.status == 1
    assert "HTTP 502 Bad Gateway" in outcome.err


def test_another_program_at_the_address_is_3(ocr, page):
    with serving(Starlette()) as url:
        outcome = ocr("scan", page, "--server", url)
    assert outcome.status == 3
    assert "not as an OCR server" in outcome.err


def test_answer_that_takes_too_long_fails_the_document(ocr, page, server, engine):
    engine.gate = asyncio.Event()
    outcome = ocr("scan", page, "--timeout", "0.3", "--server", server)
    assert outcome.status == 1
    assert "longer than --timeout" in outcome.err


def test_job_is_submitted_followed_and_fetched(ocr, page):
    busy = _problem(429, "queue_full", retryable=True, **{"Retry-After": "0"})
    scripted = ScriptedServer([busy], ["queued", "running", "running", "succeeded"])
    with serving(scripted.app()) as url:
        outcome = ocr("scan", page, "--jobs", "--server", url)
    assert (outcome.status, outcome.out) == (0, b"from the job\n")
    assert len(set(scripted.keys)) == 1
    assert len(scripted.keys) == 2
    assert scripted.waits == [0, 5, 5, 5]


def test_failed_job_tells_its_problem(ocr, page):
    with serving(ScriptedServer(states=["failed"]).app()) as url:
        outcome = ocr("scan", page, "--jobs", "--server", url)
    assert outcome.status == 1
    assert "Triton is away. (engine_unavailable)" in outcome.err


def test_job_that_somebody_canceled_is_told(ocr, page):
    with serving(ScriptedServer(states=["canceled"]).app()) as url:
        outcome = ocr("scan", page, "--jobs", "--server", url)
    assert (outcome.status, "canceled" in outcome.err) == (1, True)


def test_ctrl_c_cancels_the_job(page):
    scripted = ScriptedServer(states=["running", "running"])
    with serving(scripted.app()) as url:
        command = [sys.executable, "-m", "ocr_cli", "scan", "--jobs", page, "--server", url]
        with running(command, stderr=subprocess.PIPE, text=True) as process:
            while not scripted.waits:
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert scripted.canceled == ["/api/v1/jobs/j1"]


def test_terminal_shows_bars_and_keeps_results_apart(page, tmp_path):
    """On a terminal of its own (a pseudo-terminal), as a person sees it."""
    scripted = ScriptedServer([PlainTextResponse("seen\n"), _problem(422, "odd", retryable=False)])
    other = tmp_path / "other [x].png"
    other.write_bytes(png())
    with serving(scripted.app()) as url:
        command = [sys.executable, "-m", "ocr_cli", "scan", str(page), str(other), "-o", "-"]
        told = _on_a_terminal([*command, "--parallel", "1", "--server", url])
    assert "documents" in told
    assert "\x1b[2Kseen\r\n" in told  # on a line that was wiped before
    assert "other [x].png: says odd (odd)" in told
    assert "1 read, 1 failed" in told


def _on_a_terminal(command):
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    with running(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        told = b""
        with contextlib.suppress(OSError):  # the terminal ends with its program
            while chunk := os.read(ours, 65536):
                told += chunk
        process.wait(60)
    os.close(ours)
    return told.decode()

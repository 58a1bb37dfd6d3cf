"""Callers that keep what they have: bodies that drip, events that go on, results not taken."""

import contextlib
import socket
import time
from contextlib import ExitStack

import httpx

from tests.integration.abuse.target import SUBMIT, Target, answer_of, rounds
from tests.odd_files.bombs import slow_pages

_PART = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n%PDF-1.7\n'
_BATCH = (
    b"POST /api/v1/ocr/process-batch HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000000\r\n\r\n" + _PART
)
_FOLLOW = b"GET /api/v1/jobs/%s/events HTTP/1.1\r\nHost: x\r\n\r\n"
_RESULT = b"GET /api/v1/jobs/%s/result HTTP/1.1\r\nHost: x\r\n\r\n"


def dripping_batches(target: Target, count: int, seconds: float, rate: int) -> list[httpx.Response]:
    """So many bodies of several files that come at so many bytes a second each."""
    with ExitStack() as opened:
        connections = [opened.enter_context(target.connect()) for _ in range(count)]
        _say(connections, _BATCH)
        for _ in rounds(seconds):
            _say(connections, b"y" * (rate // 2))
            time.sleep(0.5)
        return _refusals(connections)


def followers(target: Target, job: str, count: int, seconds: float) -> list[httpx.Response]:
    """So many callers that follow a job which does not end; what those were told that may not."""
    with ExitStack() as opened:
        connections = []
        for _ in range(count):
            with contextlib.suppress(OSError):
                connections.append(opened.enter_context(target.connect()))
                connections[-1].sendall(_FOLLOW % job.encode())
        time.sleep(seconds)
        return _refusals(connections)


def leave_results(target: Target, job: str, count: int = 6) -> list[httpx.Response]:
    """Ask for a large result so many times at once, and leave."""
    return untaken_results(target, job, count, 0.2)


def untaken_results(target: Target, job: str, count: int, seconds: float) -> list[httpx.Response]:
    """Ask for it, and take none of it for so long; what was refused at once."""
    with ExitStack() as opened:
        connections = [opened.enter_context(target.connect(keeps=4096)) for _ in range(count)]
        _say(connections, _RESULT % job.encode())
        time.sleep(seconds)
        return _refusals(connections)


def is_cut_off(connection: socket.socket) -> bool:
    """Whether the other side ended it before it had sent all that it promised."""
    taken = 0
    with contextlib.suppress(OSError):
        while piece := connection.recv(1 << 20):
            taken += len(piece)
    return taken < 4 << 20


def ask_for_result(target: Target, job: str) -> socket.socket:
    """A connection on which a result was asked for, and nothing is taken."""
    connection = target.connect(keeps=4096)
    connection.sendall(_RESULT % job.encode())
    return connection


def endless_job(target: Target) -> str:
    """The id of a job that is read for as long as a document may be."""
    with target.client() as client:
        answer = client.post(SUBMIT, files={"file": slow_pages(40)})
        return str(answer.raise_for_status().json()["job_id"])


def _say(connections: list[socket.socket], words: bytes) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):  # it may have been turned away by now
            connection.sendall(words)


def _refusals(connections: list[socket.socket]) -> list[httpx.Response]:
    """What has been refused by now, without waiting."""
    answers = []
    for connection in connections:
        connection.settimeout(0.01)
        if (answer := answer_of(connection, from_status=400)) is not None:
            answers.append(answer)
    return answers

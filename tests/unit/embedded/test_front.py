import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pymupdf
import pytest

from embedded.errors import EmbeddedError, SelfCheckError
from embedded.front import read_sample_page, require_own_triton, sample_page
from embedded.settings import Settings


class Service(HTTPServer):
    """A front service that answers what the test says and keeps what it got."""

    status = 200
    text = ""
    received = b""


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        self.server.received = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"pages": [{"text": self.server.text}]}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), Handler) as server:
        server.text = sample_page("--text").decode()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def url(service: Service) -> str:
    return f"http://127.0.0.1:{service.server_port}"


def test_the_sample_page_is_one_page_of_pixels_without_text() -> None:
    with pymupdf.open(stream=sample_page(), filetype="pdf") as document:
        assert document.page_count == 1
        assert document[0].get_text() == ""
        assert document[0].get_images()


def test_the_self_check_passes_when_the_words_come_back(service: Service) -> None:
    assert read_sample_page(url(service)) >= 0
    assert b'name="file"' in service.received


def test_missing_words_fail_the_self_check(service: Service) -> None:
    service.text = service.text.split("fox")[0]
    with pytest.raises(SelfCheckError, match=r"missed \['fox', 'jumps'"):
        read_sample_page(url(service))


def test_a_single_word_read_wrongly_passes(service: Service) -> None:
    service.text = service.text.replace("fox", "f0x")
    assert read_sample_page(url(service)) >= 0


def test_an_error_of_the_service_fails_the_self_check(service: Service) -> None:
    service.status = 503
    with pytest.raises(SelfCheckError, match="503"):
        read_sample_page(url(service))


def test_no_answer_fails_the_self_check() -> None:
    with pytest.raises(SelfCheckError, match="did not answer"):
        read_sample_page("http://127.0.0.1:9")


@pytest.mark.parametrize("triton_url", [None, "", "127.0.0.1:8001", "localhost:8001"])
def test_the_own_triton_may_be_named(triton_url: str | None) -> None:
    require_own_triton(Settings(triton_grpc_port=8001), triton_url)


def test_another_triton_is_refused_not_ignored() -> None:
    with pytest.raises(EmbeddedError, match="TRITON_URL=gpu-host:8001"):
        require_own_triton(Settings(), "gpu-host:8001")

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pymupdf
import pytest

from embedded.errors import EmbeddedError, SelfCheckError
from embedded.front import (
    SelfCheckKey,
    front_command,
    read_sample_page,
    require_own_triton,
    sample_page,
)
from embedded.settings import Settings, read_settings
from preprocess_service.api.limits.keys import digest_keys
from preprocess_service.settings import Settings as ServiceSettings


class Service(HTTPServer):
    """A front service that answers what the test says and keeps what it got."""

    status = 200
    text = ""
    received = b""
    key = ""


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        self.server.key = self.headers.get("Authorization", "")
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


def _set_in_environment(keys: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("API_KEYS", keys)


def _set_in_env_file(keys: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text(f"API_KEYS={keys}\n")


def _set_as_secret(keys: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "api_keys").write_text(keys)
    patch.setitem(Settings.model_config, "secrets_dir", folder)


@pytest.mark.parametrize("put", [_set_in_environment, _set_in_env_file, _set_as_secret])
def test_the_self_check_shows_a_key_of_its_own_where_keys_are_asked_for(
    put: Callable[..., None], service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keys = f"0123456789abcdef, sha256:{'0' * 64}"
    put(keys, tmp_path, monkeypatch)
    settings = read_settings()
    key = SelfCheckKey(settings)
    assert read_sample_page(url(service), key.headers) >= 0
    shown = service.key.removeprefix("Bearer ")
    command = front_command(settings, None, key)
    taken = ServiceSettings(api_keys=command.environment["API_KEYS"]).api_keys
    assert taken is not None
    assert digest_keys(taken.get_secret_value()) == digest_keys(f"{keys},{shown}")
    assert shown not in str(command)


def test_without_keys_the_self_check_shows_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API_KEYS", "")
    key = SelfCheckKey(settings := read_settings())
    assert key.headers == {}
    assert front_command(settings, None, key).environment["API_KEYS"] == ""


def test_an_empty_variable_leaves_the_keys_of_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("API_KEYS=0123456789abcdef\n")
    monkeypatch.setenv("API_KEYS", "")
    assert SelfCheckKey(read_settings()).headers

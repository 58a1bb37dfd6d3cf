import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pymupdf
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from PIL import Image

from preprocess_service.settings import Settings
from preprocess_service.wiring import make_app
from tests.fakes import FakeEngine

MakePdf = Callable[..., bytes]
MakeImage = Callable[..., bytes]


@pytest.fixture
def make_pdf() -> MakePdf:
    """PDF bytes: `texts` is one text per page, `size` in points, `save` goes to PyMuPDF's save.

    The text is a stamp on a sheet that was scanned: only its pixels can be trusted.
    """

    def make(
        *texts: str, size: tuple[float, float] = (200, 100), title: str = "", **save: object
    ) -> bytes:
        sheet = pymupdf.Pixmap(pymupdf.csGRAY, (0, 0, 1, 1))
        sheet.clear_with(255)
        with pymupdf.open() as pdf:
            for text in texts or ("page",):
                page = pdf.new_page(width=size[0], height=size[1])
                page.insert_image(page.rect, pixmap=sheet)
                page.insert_text((10, 50), text)
            pdf.set_metadata({"title": title})
            return bytes(pdf.tobytes(**save))

    return make


@pytest.fixture
def make_image() -> MakeImage:
    def make(
        image_format: str = "PNG",
        mode: str = "RGB",
        size: tuple[int, int] = (40, 20),
        **save: object,
    ) -> bytes:
        buffer = io.BytesIO()
        Image.new(mode, size, "white").save(buffer, image_format, **save)
        return buffer.getvalue()

    return make


@pytest.fixture
def as_file(tmp_path: Path) -> Callable[[bytes], io.BufferedReader]:
    def write(data: bytes) -> io.BufferedReader:
        path = tmp_path / f"document{len(list(tmp_path.iterdir()))}"
        path.write_bytes(data)
        return path.open("rb")

    return write


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(
        rasterizer_processes=1, page_timeout=20, max_file_size_mb=2, pdf_max_pages=20, cache_ttl=0
    )


@asynccontextmanager
async def open_client(settings: Settings, engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(settings, engine)
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest.fixture(scope="module")
def module_engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(autouse=True)
def engine(module_engine: FakeEngine) -> Iterator[FakeEngine]:
    """The engine of `client`, as new; the pages that a test left at its gate go on at its end."""
    module_engine.reset()
    yield module_engine
    module_engine.reset()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(settings: Settings, module_engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    """A client of one app per module: starting the rasterizing processes is what takes time."""
    async with open_client(settings, module_engine) as client:
        yield client

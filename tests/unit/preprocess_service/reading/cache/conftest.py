from collections.abc import Iterator
from pathlib import Path

import pytest

from preprocess_service.document import Document, Metadata, Page, ProcessingTime
from tests.fakes import make_line
from tests.unit.preprocess_service.valkey import ValkeyProcess


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyProcess]:
    folder = tmp_path / "valkey"
    folder.mkdir()
    server = ValkeyProcess(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def document() -> Document:
    return make_document("hello world", "zweite Seite: äöü 漢字")


def make_document(*texts: str) -> Document:
    pages = tuple(
        Page(
            number=number,
            width=100,
            height=50,
            dpi=120,
            rotation=0,
            skew_degrees=None,
            source="ocr",
            text=text,
            confidence=0.9,
            lines=(make_line(text),),
        )
        for number, text in enumerate(texts, 1)
    )
    return Document(
        request_id="request-1",
        status="succeeded",
        release=1,
        strategy="balanced",
        language=("en",),
        processing_ms=ProcessingTime(rasterize=1, enhance=0, inference=2, format=0, total=3),
        metadata=Metadata(media_type="application/pdf", pages=len(pages)),
        pages=pages,
    )

import json

import pytest

from preprocess_service.document import Document, Metadata, Page, ProcessingTime
from preprocess_service.formatting import FORMATS
from preprocess_service.options import INSTALLED
from tests.fakes import make_line


def _page(number: int, text: str) -> Page:
    return Page(
        number=number, width=10, height=20, dpi=120, rotation=0, skew_degrees=None, source="ocr",
        text=text, confidence=0.9, lines=(make_line(text),),
    )  # fmt: skip


@pytest.fixture
def document() -> Document:
    return Document(
        request_id="r", status="succeeded", release=1, strategy="balanced", language=("en",),
        processing_ms=ProcessingTime(rasterize=1, enhance=0, inference=2, format=0, total=3),
        metadata=Metadata(media_type="application/pdf", pages=2),
        pages=(_page(1, "Grüße\nzwei"), _page(2, "drei")),
    )  # fmt: skip


def test_text_parts_pages_by_a_form_feed(document):
    assert FORMATS["text"].write(document).decode() == "Grüße\nzwei\n\fdrei\n"


def test_merged_text_has_no_page_break(document):
    merged = document.model_copy(update={"text": "Grüße\nzwei\ndrei\n"})
    assert FORMATS["text"].write(merged).decode() == "Grüße\nzwei\ndrei\n"


def test_json_is_the_document(document):
    assert Document.model_validate(json.loads(FORMATS["json"].write(document))) == document


def test_formats_are_those_that_the_option_installs():
    assert tuple(FORMATS) == INSTALLED["output_format"]

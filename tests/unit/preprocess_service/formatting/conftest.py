import pytest

from preprocess_service.document import Document
from preprocess_service.errors import EngineFailedError
from tests.unit.preprocess_service.formatting import documents as make

CONTROL = "bell\x07 null\x00 \x1b[31m \x85 tab\t \ufffe end"
HOSTILE = "<script>alert(1)</script> & \"quoted\" 'it' ]]> <!-- &amp; # * _x_ [a](b) `c` | ~~d~~"
ARABIC, HEBREW = "مرحبا بالعالم 123", "שלום עולם"
CHINESE, JAPANESE = "第一章 总则", "日本語のテキスト"


@pytest.fixture
def awkward() -> Document:
    """What breaks writers: no lines, no page, other scripts, controls, markup, odd outlines."""
    steep = make.tilted("upwards", ((50, 700), (50, 500), (70, 500), (70, 700)))
    outside = make.line("outside", -30, -10)
    point = make.tilted("point", ((5, 5), (5, 5), (5, 5), (5, 5)))
    return make.document(
        make.page(make.line(CONTROL, 50, 50), make.line(HOSTILE, 50, 150), steep, outside, point),
        make.page(number=2),
        make.failed_page(3, EngineFailedError("It <failed> & broke.")),
        make.page(
            *(make.line(text, 50, 50 + 60 * i) for i, text in enumerate(
                (ARABIC, HEBREW, CHINESE, JAPANESE)
            )),
            make.line("two words", 50, 400, words=("two", "words")),
            number=4,
        ),
        language=(),
        title="A <title> & more\x01",
    )  # fmt: skip

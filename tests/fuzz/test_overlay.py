"""What models may read, written invisibly into a PDF."""

import math
import re

import pymupdf
from hypothesis import given
from hypothesis import strategies as st

from preprocess_service.document import Line, Word
from preprocess_service.searchable.invisible_font import InvisibleFont
from preprocess_service.searchable.overlay import draw_lines

SIDES = st.floats(-1e7, 1e7) | st.floats(0, 2000) | st.integers(0, 2000).map(float)
POLYGONS = st.tuples(*[st.tuples(SIDES, SIDES)] * 4)
TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        "",
        " ",
        "שלום abc",
        "مرحبا 123 نص",
        "()\\<>",
        "\ud800",
        "\x00",
        "a\u0301",
        "\U0001f600",
        "\u202e",
    ]
)
BOX = (0.0, 0.0, 1.0, 1.0)
WORDS = st.builds(Word, text=TEXTS, confidence=st.just(1.0), polygon=POLYGONS, bbox=st.just(BOX))
LINES = st.builds(
    Line,
    text=TEXTS,
    confidence=st.just(1.0),
    polygon=POLYGONS,
    bbox=st.just(BOX),
    words=st.none() | st.lists(WORDS, max_size=4).map(tuple),
)
NUMBER = re.compile(rb"(?<![<\w.])-?\d+(?:\.\d+)?(?![\w>.])")


@given(lines=st.lists(LINES, max_size=5))
def test_any_text_and_any_outline_are_operators_that_readers_take(lines: list[Line]) -> None:
    with pymupdf.open() as pdf:
        page, font = pdf.new_page(), InvisibleFont()
        frame = pymupdf.Matrix(0.5, 0.5).prerotate(90)
        operators = draw_lines(lines, font, "F0", frame)
        assert not re.search(rb"nan|inf|\de[+-]", operators)
        number = font.embed(pdf)
        pdf.xref_set_key(page.xref, "Resources", f"<</Font<</F0 {number} 0 R>>>>")
        pymupdf.TOOLS._insert_contents(page, operators, 1)
        pymupdf.TOOLS.reset_mupdf_warnings()
        with pymupdf.open(stream=pdf.tobytes()) as written:
            drawn = written[0].get_pixmap(dpi=20)
            written[0].get_text("rawdict")
        assert set(drawn.samples) == {255}, "nothing is seen of it"
        assert pymupdf.TOOLS.mupdf_warnings() == ""
        assert all(math.isfinite(float(found)) for found in NUMBER.findall(operators))

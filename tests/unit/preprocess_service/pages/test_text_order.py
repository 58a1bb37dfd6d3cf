import random

import pymupdf
import pytest

from preprocess_service.pages.text_layer import read_all_text
from tests.drawing import sentence


def draw(blocks, size=(595, 842), rotation=0):
    """A page of (left, top, lines); the lines go into the file in any order."""
    written = [(left, top + 14 * i, text) for left, top, texts in blocks
               for i, text in enumerate(texts)]  # fmt: skip
    random.Random(7).shuffle(written)
    pdf = pymupdf.open()
    page = pdf.new_page(width=size[0], height=size[1])
    for left, top, text in written:
        page.insert_text((left, top), text, fontsize=10)
    page.set_rotation(rotation)
    return pymupdf.open(stream=pdf.tobytes())[0]


def read(page):
    return [line.text for line in read_all_text(page, 2.0, words=False)]


LEFT, RIGHT = ([sentence(i + start) for i in range(20)] for start in (0, 50))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_two_columns_are_read_one_after_the_other(rotation):
    blocks = [
        (60, 60, ["A title over both columns, from the left edge to nearly the right one of all"]),
        (60, 100, LEFT),
        (320, 100, RIGHT),
        (60, 420, ["A footnote below both columns, from the left edge to nearly the right one"]),
    ]
    expected = [text for _, _, texts in blocks for text in texts]
    assert read(draw(blocks, rotation=rotation)) == expected


def test_a_table_is_read_row_by_row():
    names = [sentence(i, words=1 + i % 3) for i in range(12)]
    sums = [f"{17 * i}.50" for i in range(12)]
    expected = [text for pair in zip(names, sums, strict=True) for text in pair]
    assert read(draw([(60, 100, names), (400, 100, sums)])) == expected


def test_one_column_is_read_from_top_to_bottom():
    assert read(draw([(60, 100, LEFT)])) == LEFT


def test_vertical_text_is_read_from_the_right():
    pdf = pymupdf.open()
    page = pdf.new_page(width=200, height=200)
    page.insert_font(fontname="F0", fontbuffer=pymupdf.Font("cjk").buffer)
    for x, text in ((60, "日本語"), (120, "縦書き")):
        page.insert_text((x, 40), text, fontname="F0", fontsize=20)
    pdf.xref_set_key(page.get_fonts()[0][0], "Encoding", "/Identity-V")
    shown = pymupdf.open(stream=pdf.tobytes())[0]
    right, left = read_all_text(shown, 1.0, words=True)
    assert [right.text, left.text] == ["縦書き", "日本語"]
    assert right.polygon[0] == right.bbox[:2]
    assert right.polygon[2] == right.bbox[2:]
    assert right.bbox[3] - right.bbox[1] == pytest.approx(60, abs=2)
    assert right.words[0].polygon == right.polygon

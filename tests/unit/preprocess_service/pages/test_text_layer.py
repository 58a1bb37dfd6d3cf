"""A page's own text: what is taken, where it stands, and when the pixels are read instead."""

import io

import numpy as np
import pymupdf
import pytest
from PIL import Image

from preprocess_service.errors import PageTooLargeError
from preprocess_service.pages import text_layer
from preprocess_service.pages.text_layer import read_all_text, read_trusted_text
from tests.drawing import sentence

DPI = 144
SCALE = DPI / 72
A5 = (420, 595)


@pytest.fixture
def page():
    with pymupdf.open() as pdf:
        yield pdf.new_page(width=A5[0], height=A5[1])


def picture(mode="L", color=200):
    buffer = io.BytesIO()
    Image.new(mode, (60, 85), color).save(buffer, "PNG")
    return buffer.getvalue()


def write(page, lines=12, left=40, top=60, **how):
    for i in range(lines):
        page.insert_text((left, top + 16 * i), sentence(i), fontsize=11, **how)


def saved(page):
    """The page as another reader of the file finds it."""
    return pymupdf.open(stream=page.parent.tobytes())[page.number]


def texts(lines):
    return None if lines is None else [line.text for line in lines]


def trusted(page):
    return texts(read_trusted_text(saved(page), SCALE, words=False))


def everything(page):
    return texts(read_all_text(saved(page), SCALE, words=False))


def ink(page):
    """Bounding box of what is drawn, in pixels."""
    pixmap = page.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY, alpha=False)
    dark = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.h, pixmap.w) < 128
    (rows,), (columns,) = np.nonzero(dark.any(axis=1)), np.nonzero(dark.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def assert_around(bbox, drawn, slack=10):
    """The box holds the ink (to a pixel) and little more."""
    for inner, outer, sign in zip(drawn, bbox, (1, 1, -1, -1), strict=True):
        assert -1.5 <= sign * (inner - outer) <= slack, (bbox, drawn)


def test_a_page_of_text_is_taken_as_it_is(page):
    write(page)
    assert trusted(page) == [sentence(i) for i in range(12)] == everything(page)


def test_a_short_page_is_complete_where_nothing_else_is_drawn(page):
    page.insert_text((40, 60), "Chapter 1")
    assert trusted(page) == ["Chapter 1"]


def test_a_blank_page_is_left_to_its_pixels(page):
    assert trusted(page) is None
    assert everything(page) == []


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("cropped", [False, True])
def test_lines_stand_where_the_reader_sees_them(page, rotation, cropped):
    page.insert_text((100, 200), "Hamburgefons", fontsize=20)
    if cropped:
        page.set_cropbox(pymupdf.Rect(50, 60, 350, 500))
    page.set_rotation(rotation)
    shown = saved(page)
    (line,) = read_trusted_text(shown, SCALE, words=False)
    assert_around(line.bbox, ink(shown))
    first, second = line.polygon[:2]
    runs = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[rotation]
    assert np.sign(np.round(np.subtract(second, first))).tolist() == list(runs)


@pytest.mark.parametrize("angle", [30, -45, 90])
def test_lines_may_run_in_any_direction(page, angle):
    pivot = pymupdf.Point(200, 300)
    page.insert_text(pivot, "slanted text", fontsize=20, morph=(pivot, pymupdf.Matrix(angle)))
    shown = saved(page)
    (line,) = read_trusted_text(shown, SCALE, words=False)
    (x0, y0), (x1, y1) = line.polygon[:2]
    assert np.degrees(np.arctan2(y0 - y1, x1 - x0)) == pytest.approx(angle, abs=1)
    assert_around(line.bbox, ink(shown), slack=16)


def test_words_stand_inside_their_line(page):
    page.insert_text((40, 60), "one  two three", fontsize=14)
    (line,) = read_trusted_text(saved(page), SCALE, words=True)
    assert " ".join(word.text for word in line.words) == line.text == "one two three"
    assert line.words[0].bbox[0] == line.bbox[0]
    assert line.words[2].bbox[2] == line.bbox[2]
    expected = 80 + SCALE * pymupdf.get_text_length("one", fontsize=14)
    assert line.words[0].bbox[2] == pytest.approx(expected, abs=1)
    assert {word.confidence for word in line.words} == {1.0}


def test_lines_carry_no_words_unless_asked(page):
    write(page)
    lines = read_trusted_text(saved(page), SCALE, words=False)
    assert {line.words for line in lines} == {None}


def test_text_of_form_fields_and_notes_counts(page):
    widget = pymupdf.Widget()
    widget.field_type, widget.field_name = pymupdf.PDF_WIDGET_TYPE_TEXT, "name"
    widget.field_value, widget.text_fontsize = "Filled in by hand", 11
    widget.rect = pymupdf.Rect(100, 100, 300, 120)
    page.add_widget(widget)
    page.insert_text((40, 115), "Name:")
    page.add_freetext_annot(pymupdf.Rect(40, 200, 300, 220), "A note in the margin")
    assert trusted(page) == ["Name:", "Filled in by hand", "A note in the margin"]


def test_a_scan_with_a_hidden_layer_is_read_unless_only_the_layer_is_wanted(page):
    page.insert_image(page.rect, stream=picture())
    write(page, render_mode=3)
    assert trusted(page) is None
    assert len(everything(page)) == 12


def test_hidden_text_beside_shown_text_is_left_out(page):
    write(page, lines=3)
    page.insert_text((40, 300), "hidden", render_mode=3)
    page.insert_text((40, 330), "transparent", fill_opacity=0)
    assert trusted(page) == [sentence(i) for i in range(3)]
    assert everything(page)[3:] == ["hidden", "transparent"]


def test_text_that_an_image_was_laid_over_is_not_seen(page):
    write(page)
    page.insert_image(page.rect, stream=picture())
    assert trusted(page) is None


def test_a_stamp_on_a_scan_is_not_its_text(page):
    page.insert_image(page.rect, stream=picture())
    write(page, lines=2)
    assert trusted(page) is None
    assert len(everything(page)) == 2


def test_a_page_of_text_on_a_picture_is_taken(page):
    page.insert_image(page.rect, stream=picture())
    write(page, lines=32)
    assert len(trusted(page)) == 32


def test_an_illustration_leaves_the_text_alone(page):
    write(page)
    page.insert_image(pymupdf.Rect(40, 400, 200, 500), stream=picture())
    assert len(trusted(page)) == 12


def test_letters_drawn_as_shapes_are_read(page):
    page.insert_text((40, 40), "Header")
    for i in range(200):
        page.draw_rect(pymupdf.Rect(20 + i, 100, 24 + i, 110), fill=(0, 0, 0), width=0)
    assert trusted(page) is None


def test_text_outside_the_page_is_not_seen(page):
    write(page, lines=2)
    page.insert_text((40, 2000), "below the page")
    page.insert_text((900, 60), "beside it")
    assert trusted(page) == everything(page) == [sentence(0), sentence(1)]


def test_text_without_a_meaning_is_no_text(page):
    page.insert_text((40, 60), "\u00cf\u00f0\u00e8\u00e2\u00e5\u00f2 " * 8, fontsize=9)
    assert trusted(page) is None
    assert everything(page) == []


def test_a_page_with_more_characters_than_a_page_has_is_refused(page, monkeypatch):
    monkeypatch.setattr(text_layer, "_MAX_CHARACTERS", 100)
    write(page)
    assert trusted(page) is None
    with pytest.raises(PageTooLargeError, match="text_layer=ignore"):
        everything(page)

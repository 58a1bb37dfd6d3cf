"""Searchable PDFs, written and then read again by PyMuPDF."""

import io
import math
from dataclasses import replace

import numpy as np
import pymupdf
import pytest
from PIL import Image

from preprocess_service.errors import EncryptedDocumentError, InvalidDocumentError
from tests.unit.preprocess_service.formatting.documents import line, page, tilted
from tests.unit.preprocess_service.searchable.conftest import DPI, PDF

POINTS = 72 / DPI
TEXTS = {
    "latin": "Grüße, façade: 12,50 € & ﬁne", "greek": "Ελληνικά κείμενο",
    "cyrillic": "Русский текст",
    "chinese": "第一章 总则", "japanese": "日本語のテキスト", "korean": "한국어 텍스트",
    "arabic": "مرحبا بالعالم 123 نص", "hebrew": "שלום עולם", "hindi": "हिन्दी पाठ",
    "thai": "ภาษาไทย", "beyond": "\U0001d4b3 \U0001f600",
}  # fmt: skip


def _words(made):
    return " ".join(made.get_text("text").split())


def _found(made, text):
    """Where the text is found, in pixels of the page as a reader sees it."""
    place = pymupdf.Rect()
    for part in made.search_for(text):  # of text from right to left: each letter
        place |= part
    return tuple(place * made.rotation_matrix * pymupdf.Matrix(1 / POINTS, 1 / POINTS))


def _pixels(made, dpi=DPI):
    pixmap = made.get_pixmap(dpi=dpi)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.h, pixmap.w, pixmap.n)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_script_is_found_where_it_stands(write, blank_pdf, text):
    made = write(blank_pdf(), page(line(text, 100, 200, width=400, height=40), width=800, dpi=DPI))[
        0
    ]
    assert _words(made) == text
    assert made.search_for(text)
    whole = pymupdf.Rect()
    for word in made.get_text("words"):
        whole |= pymupdf.Rect(word[:4])
    assert tuple(whole) == pytest.approx((50, 100, 250, 120), abs=2)


def test_nothing_of_it_is_seen(write, blank_pdf):
    lines = [line(text, 50, 50 + 50 * i) for i, text in enumerate(TEXTS.values())]
    assert _pixels(write(blank_pdf(), page(*lines))[0]).min() == 255


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_rotated_and_cropped_pages_and_pages_that_lay_sideways(write, blank_pdf, rotation, turned):
    data = blank_pdf(rotation, crop=(50, 70, 350, 500))
    sides = (600, 860) if (rotation + turned) % 180 == 0 else (860, 600)
    read = page(
        line("find me here", 100, 200, width=300, height=30), width=sides[0], height=sides[1],
        dpi=DPI, rotation=turned,
    )  # fmt: skip
    made = write(data, read)[0]
    assert (made.rotation, tuple(made.cropbox)) == (rotation, (50, 70, 350, 500))
    x0, y0, x1, y1 = _found(made, "find me here")
    width, height = (sides[0], sides[1])
    expected = {
        0: (100, 200, 400, 230),
        90: (200, width - 400, 230, width - 100),
        180: (width - 400, height - 230, width - 100, height - 200),
        270: (height - 230, 100, height - 200, 400),
    }[turned]
    assert (x0, y0, x1, y1) == pytest.approx(expected, abs=2)


def test_tilted_and_vertical_lines_keep_their_angle(write, blank_pdf):
    falling = tilted("falling text", ((100, 100), (300, 120), (297, 150), (97, 130)))
    upwards = tilted("upwards", ((500, 300), (530, 300), (530, 600), (500, 600)))
    made = write(blank_pdf(), page(falling, upwards, dpi=DPI))[0]
    blocks = made.get_text("dict")["blocks"]
    directions = [
        (item["spans"][0]["text"], math.degrees(math.atan2(-item["dir"][1], item["dir"][0])))
        for block in blocks for item in block["lines"]
    ]  # fmt: skip
    assert directions == [
        ("falling text", pytest.approx(-5.7, abs=0.1)), ("upwards", pytest.approx(90, abs=0.1)),
    ]  # fmt: skip
    assert _found(made, "upwards") == pytest.approx((500, 300, 530, 600), abs=3)


def test_words_stand_where_they_were_read(write, blank_pdf):
    two = line("two words", 100, 200, words=("two", "words"), width=400)
    two = two.model_copy(update={"words": (
        two.words[0], line("words", 400, 200, width=100).model_copy(update={"words": None}),
    )})  # fmt: skip
    made = write(blank_pdf(), page(two, width=800, dpi=DPI))[0]
    assert _words(made) == "two words"
    assert _found(made, "words") == pytest.approx((400, 200, 500, 220), abs=2)
    assert made.search_for("two words")


def test_words_from_right_to_left_come_in_reading_order(write, blank_pdf):
    first, second = TEXTS["hebrew"].split()
    both = line(f"{first} {second}", 100, 200, width=300).model_copy(update={"words": (
        line(first, 270, 200, width=130), line(second, 100, 200, width=150),
    )})  # fmt: skip
    made = write(blank_pdf(), page(both, width=800, dpi=DPI))[0]
    assert _words(made) == TEXTS["hebrew"]
    assert _found(made, second) == pytest.approx((100, 200, 250, 220), abs=2)


def test_a_word_is_found_inside_its_line_at_nearly_its_place(write, blank_pdf, make_pdf):
    """Lines have no words: letters are as wide as in a common font."""
    with pymupdf.open(stream=make_pdf("illiterate millions WWW mmm fifty", size=(300, 100))) as pdf:
        printed = {word[4]: word[:4] for word in pdf[0].get_text("words")}
    x0, x1 = min(box[0] for box in printed.values()), max(box[2] for box in printed.values())
    read = line("illiterate millions WWW mmm fifty", x0, 40, width=x1 - x0)
    made = write(blank_pdf(), page(read, dpi=72, width=400))[0]
    for text, box in printed.items():
        (found,) = made.search_for(text)
        assert (found.x0, found.x1) == pytest.approx((box[0], box[2]), abs=2)


def test_pdf_page_is_kept_as_it_is(write, make_pdf):
    data = make_pdf("visible ink", title="Report 3")
    with pymupdf.open(stream=data) as pdf:
        before, contents = _pixels(pdf[0]), pdf[0].read_contents()
    made = write(data, page(line("added", 200, 20), width=400, height=200, dpi=DPI))
    assert np.array_equal(_pixels(made[0]), before)
    assert contents.strip() in made[0].read_contents()
    assert made.metadata["title"] == "Report 3"
    assert set(_words(made[0]).split()) == {"visible", "ink", "added"}


def test_text_that_the_page_has_is_not_written_twice(write, make_pdf):
    # The page's own stands at x = 10, with its baseline at y = 50 points.
    same = line("page", 20, 78, width=40, height=24)
    made = write(make_pdf("page"), page(same, line("new", 200, 20), width=400, height=200, dpi=DPI))
    assert sorted(_words(made[0]).split()) == ["new", "page"]
    layer = page(line("other", 200, 20), width=400, height=200, dpi=DPI, source="text_layer")
    assert _words(write(make_pdf("page"), layer)[0]) == "page"


def test_second_run_adds_nothing(write, blank_pdf):
    read = page(line("once only", 100, 200), dpi=DPI)
    once = write(blank_pdf(), read).tobytes()
    assert _words(write(once, read)[0]) == "once only"


def test_only_the_pages_that_were_read_are_written(write, make_pdf):
    pages = [page(number=number, width=400, height=200) for number in (2, 4)]
    made = write(make_pdf("a", "b", "c", "d"), *pages)
    assert [_words(item) for item in made] == ["b", "d"]


def test_encrypted_pdf_stays_so(write, make_pdf):
    data = make_pdf("x", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret")
    read = page(line("added", 200, 20), width=400, height=200, dpi=DPI)
    with pytest.raises(EncryptedDocumentError):
        write(data, read)
    made = write(data, read, request=replace(PDF, password="secret"))
    assert made.needs_pass
    assert made.authenticate("secret")
    assert "added" in _words(made[0])


def test_page_that_leaves_its_graphics_state_changed(write, blank_pdf):
    with pymupdf.open(stream=blank_pdf()) as pdf:
        number = pdf.get_new_xref()
        pdf.update_object(number, "<<>>")
        pdf.update_stream(number, b"q 0.1 0 0 0.1 300 300 cm q 5 0 0 5 1 1 cm")
        pdf.xref_set_key(pdf[0].xref, "Contents", f"{number} 0 R")
        data = pdf.tobytes()
    made = write(data, page(line("in place", 100, 200, width=200), dpi=DPI))[0]
    assert _found(made, "in place") == pytest.approx((100, 200, 300, 220), abs=2)


def test_inherited_and_shared_resources_are_left_alone(write):
    """Two pages with one font dictionary of their parent; only one gets text."""
    source = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/MediaBox[0 0 300 300]/Resources 5 0 R>>"
        b"endobj\n3 0 obj<</Type/Page/Parent 2 0 R/Contents 6 0 R>>endobj\n"
        b"4 0 obj<</Type/Page/Parent 2 0 R/Contents 6 0 R>>endobj\n5 0 obj<</Font 7 0 R>>endobj\n"
        b"6 0 obj<</Length 37>>stream\nBT /F1 12 Tf 20 250 Td (shared) Tj ET \nendstream endobj\n"
        b"7 0 obj<</F1 8 0 R/OcrInvisible 8 0 R>>endobj\n"
        b"8 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n"
    )
    pages = page(line("added", 300, 300), width=600, height=600, dpi=DPI), page(number=2)
    made = write(source, *pages)
    assert [_words(item) for item in made] == ["shared added", "shared"]
    assert [len(item.get_fonts()) for item in made] == [3, 2]


def test_damaged_pdf_is_named_so(write):
    with pytest.raises(InvalidDocumentError):
        write(b"%PDF-1.4 nothing", page())


def _picture(image_format, size=(300, 200), mode="RGB", **save):
    """Left half dark, so that turned pictures differ."""
    black, white = ((0, 0, 0, 255), (0, 0, 0, 0)) if mode == "CMYK" else ("black", "white")
    image = Image.new(mode, size, white)
    image.paste(black, (0, 0, size[0] // 2, size[1]))
    buffer = io.BytesIO()
    image.save(buffer, image_format, **save)
    return buffer.getvalue()


def _image_page(*lines, width=300, height=200, **more):
    return page(*lines, width=width, height=height, dpi=100, **more)


@pytest.mark.parametrize(
    ("image_format", "media_type"), [("JPEG", "image/jpeg"), ("JPEG2000", "image/jp2")]
)
def test_compressed_image_is_embedded_as_it_is(write, image_format, media_type):
    data = _picture(image_format)
    read = _image_page(line("on it", 60, 50, width=90))
    made = write(data, read, request=replace(PDF, media_type=media_type))
    assert made[0].rect == (0, 0, 216, 144)
    ((number, *_),) = made[0].get_images()
    assert made.xref_stream_raw(number) == data
    assert _words(made[0]) == "on it"
    assert tuple(made[0].search_for("on it")[0]) == pytest.approx((43.2, 36, 108, 50.4), abs=1)


@pytest.mark.parametrize(
    ("image_format", "media_type", "mode"),
    [
        ("PNG", "image/png", "RGB"), ("PNG", "image/png", "L"), ("PNG", "image/png", "1"),
        ("BMP", "image/bmp", "RGB"), ("GIF", "image/gif", "L"), ("TIFF", "image/tiff", "CMYK"),
        ("TIFF", "image/tiff", "1"),
    ],
)  # fmt: skip
def test_image_is_seen_without_loss(write, image_format, media_type, mode):
    data = _picture(image_format, mode=mode)
    made = write(data, _image_page(), request=replace(PDF, media_type=media_type))[0]
    shown = _pixels(made, dpi=100)
    assert shown.shape[:2] == (200, 300)
    assert shown[:, :149].max() == 0 if mode != "CMYK" else shown[:, :149].max() < 60
    assert shown[:, 151:].min() == 255
    if mode == "1":
        assert made.get_images()[0][4] == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_that_of_the_reader(write, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = _picture("JPEG", exif=exif)
    sides = (200, 300) if orientation > 4 else (300, 200)
    request = replace(PDF, media_type="image/jpeg")
    made = write(data, _image_page(width=sides[0], height=sides[1]), request=request)[0]
    shown = _pixels(made, dpi=100)
    dark = {
        1: np.s_[:, :145], 2: np.s_[:, 155:], 3: np.s_[:, 155:], 4: np.s_[:, :145],
        5: np.s_[:145], 6: np.s_[:145], 7: np.s_[155:], 8: np.s_[155:],
    }[orientation]  # fmt: skip
    assert shown.shape[:2] == (sides[1], sides[0])
    assert shown[dark].max() < 60
    assert shown.mean() == pytest.approx(127, abs=8)


def test_cmyk_jpeg_keeps_its_colors(write):
    data = _picture("JPEG", mode="CMYK")
    made = write(data, _image_page(), request=replace(PDF, media_type="image/jpeg"))[0]
    shown = _pixels(made, dpi=100)
    assert shown[:, :140].max() < 60
    assert shown[:, 160:].min() > 200


def test_frames_of_a_tiff_are_pages(write):
    frames = [Image.new("L", (100 * n, 50), 50 * n) for n in (1, 2, 3)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:], dpi=(100, 100))
    pages = [_image_page(line(f"frame {n}", 5, 5, width=60), width=100 * n, height=50, number=n)
             for n in (1, 3)]  # fmt: skip
    made = write(buffer.getvalue(), *pages, request=replace(PDF, media_type="image/tiff"))
    assert [_words(item) for item in made] == ["frame 1", "frame 3"]
    assert [item.rect.width for item in made] == [72, 216]
    assert [int(_pixels(item, 100).mean()) for item in made] == [50, 150]


def test_sideways_image_stays_as_it_is_with_its_text_along(write):
    read = _image_page(line("turned", 20, 30, width=100), width=200, height=300, rotation=90)
    made = write(_picture("PNG"), read, request=replace(PDF, media_type="image/png"))[0]
    assert made.rect == (0, 0, 216, 144)
    expected = [value * 0.72 for value in (30, 200 - 120, 50, 200 - 20)]
    assert tuple(made.search_for("turned")[0]) == pytest.approx(expected, abs=1)

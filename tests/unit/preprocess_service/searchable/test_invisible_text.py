"""Layers of an earlier OCR, taken out of PDFs whose pages must not change by a pixel."""

import io
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest

from preprocess_service.errors import InternalError
from preprocess_service.pages.source import RasterRequest
from preprocess_service.searchable.writer import write_searchable
from tests.unit.preprocess_service.formatting.documents import line, page

DPI = 144
REDO = RasterRequest(
    "a", "application/pdf", DPI, max_pages=10, max_pixels=50_000_000, text_layer="ignore"
)
NEW = line("read anew", 60, 80, width=300, height=30)
HELVETICA = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
TYPE3 = (
    "<</Type/Font/Subtype/Type3/FontBBox[0 0 1 1]/FontMatrix[1 0 0 1 0 0]/CharProcs<</a {glyph} 0 R"
    ">>/Encoding<</Type/Encoding/Differences[97/a]>>/FirstChar 97/LastChar 97/Widths[1]>>"
)


def _stream(pdf, data, body="<<>>"):
    number = pdf.get_new_xref()
    pdf.update_object(number, body)
    pdf.update_stream(number, data)
    return number


def _pdf(contents, resources=None, pages=1):
    """Pages of 300 by 300 points, turned and cropped, with one content stream for all of them."""
    with pymupdf.open() as pdf:
        number = _stream(pdf, contents)
        for _ in range(pages):
            made = pdf.new_page(width=300, height=300)
            pdf.xref_set_key(made.xref, "Contents", f"{number} 0 R")
            fonts = f"<</Font<</F1 {HELVETICA}>>>>"
            pdf.xref_set_key(made.xref, "Resources", resources(pdf) if resources else fonts)
        return pdf.tobytes()


@pytest.fixture
def redo(as_file):
    def run(data, *pages, request=REDO):
        target = io.BytesIO()
        with as_file(data) as file:
            write_searchable(Path(file.name), request, pages or [_read(NEW)], target)
        return target.getvalue()

    return run


def _read(*lines, number=1, **more):
    return page(*lines, number=number, width=600, height=600, dpi=DPI, **more)


def _words(data, index=0):
    with pymupdf.open(stream=data) as pdf:
        return sorted(pdf[index].get_text().split())


def _seen(data):
    with pymupdf.open(stream=data) as pdf:
        return [made.get_pixmap(dpi=DPI).samples for made in pdf]


OPERATORS = {
    "apart": b"BT /F1 12 Tf 3 Tr 30 250 Td (old) Tj ET BT 0 Tr 30 200 Td (seen) Tj ET",
    "before": b"BT /F1 12 Tf 30 250 Td 3 Tr (old) Tj 0 Tr (seen) Tj ET",
    "array": b"BT /F1 12 Tf 30 250 Td 3 Tr [-500 (o) -200.5 <6c64> 300] TJ 0 Tr (seen) Tj ET",
    "spaced": b"BT 1 Tc 9 Tw 150 Tz /F1 12 Tf 30 250 Td 3 Tr (old old) Tj 0 Tr 80 Tz (seen) Tj ET",
    "two sizes": b"BT /F1 12 Tf 30 250 Td 3 Tr (old) Tj /F1 20 Tf (old) Tj 0 Tr (seen) Tj ET",
    "tilted": b"BT /F1 12 Tf .9 .1 -.1 .9 30 250 Tm 3 Tr (old) Tj 0 Tr (seen) Tj ET",
    "moved": b"BT /F1 12 Tf 30 250 Td 3 Tr (old) Tj [-900] TJ 0 Tr (seen) Tj ET",
    "next line": b"BT 14 TL /F1 12 Tf 30 250 Td 3 Tr (old) ' (old) ' 0 Tr (seen) ' ET",
    "spaced line": b'BT 14 TL /F1 12 Tf 30 250 Td 3 Tr 5 1 (old) " 0 Tr (seen) Tj ET',
    "put aside": b"/F1 12 Tf q 3 Tr q BT 30 250 Td (old) Tj ET Q Q BT 30 200 Td (seen) Tj ET",
    "stays on": b"3 Tr BT /F1 12 Tf 30 250 Td (old) Tj ET BT (old) Tj 0 Tr (seen) Tj ET",
    "too many Q": b"Q Q 3.0 Tr BT /F1 12 Tf 30 250 Td (old) Tj ET 0 Tr BT /F1 9 Tf (seen) Tj ET",
    "clips": b"BT /F1 90 Tf 7 Tr 30 150 Td (seen) Tj ET 1 0 0 rg 0 0 300 300 re f",
    "comment": b"3 Tr%0 Tr\nBT/F1 12 Tf 30 250 Td(old \\) (old))Tj ET 0 Tr BT/F1 9 Tf(seen)Tj ET",
    "in pictures": b"BI /W 9 /H 1 /BPC 8 /CS /G ID 3 Tr (x)T EI BT /F1 12 Tf (seen) Tj ET 3 Tr",
}


@pytest.mark.parametrize("contents", OPERATORS.values(), ids=OPERATORS)
def test_only_text_without_ink_goes_and_nothing_moves(redo, contents):
    before = _pdf(contents)
    after = redo(before)
    assert _words(after) == ["anew", "read", "seen"]
    assert _seen(after) == _seen(before)


def test_page_without_such_text_keeps_its_stream(redo):
    contents = OPERATORS["in pictures"]
    with pymupdf.open(stream=redo(_pdf(contents), _read())) as pdf:
        assert pdf[0].read_contents().strip() == contents


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_turned_and_cropped_pages_do_not_change(redo, rotation):
    with pymupdf.open(stream=_pdf(OPERATORS["spaced"])) as pdf:
        pdf[0].set_cropbox((20, 10, 280, 250))
        pdf[0].set_rotation(rotation)
        before = pdf.tobytes()
    assert _seen(redo(before)) == _seen(before)


def test_page_that_failed_or_may_keep_its_text_keeps_it(redo):
    before = _pdf(OPERATORS["apart"], pages=2)
    problem = InternalError("broken").problem("a")
    after = redo(before, _read(NEW), _read(number=2, problem=problem))
    assert (_words(after), _words(after, 1)) == (["anew", "read", "seen"], ["old", "seen"])
    auto = redo(before, _read(), request=replace(REDO, text_layer="auto"))
    assert _words(auto) == ["old", "seen"]


def test_text_in_nested_forms_goes(redo):
    """The inner form has a font of its own; the outer one takes the page's."""

    def resources(pdf):
        form = "<</Type/XObject/Subtype/Form/BBox[0 0 300 300]{}>>"
        own = f"/Resources<</Font<</G {HELVETICA.replace('Helvetica', 'Courier')}>>>>"
        inner = _stream(
            pdf, b"BT /G 12 Tf 30 100 Td 3 Tr (old) Tj 0 Tr (inner) Tj ET", form.format(own)
        )
        nested = f"/Resources<</XObject<</Inner {inner} 0 R>>/Font<</F1 {HELVETICA}>>>>"
        outer = _stream(
            pdf, b"BT /F1 9 Tf 3 Tr 30 150 Td (old) Tj ET /Inner Do", form.format(nested)
        )
        return f"<</Font<</F1 {HELVETICA}>>/XObject<</Outer {outer} 0 R>>>>"

    before = _pdf(b"BT /F1 12 Tf 30 200 Td (page) Tj ET /Outer Do", resources)
    after = redo(before)
    assert _words(before) == ["old", "oldinner", "page"]
    assert _words(after) == ["anew", "inner", "page", "read"]
    assert _seen(after) == _seen(before)


def test_layers_of_glyphless_fonts_are_replaced_again_and_again(redo):
    before = _pdf(b"1 0 0 rg 50 50 100 100 re f")
    first = redo(before, _read(line("Falsch gelesen \u4e00", 60, 80, width=300)))
    second = redo(first, _read(line("Better", 60, 80, width=300)))
    third = redo(second, _read(line("Best", 60, 80, width=300)))
    assert _words(third) == ["Best"]
    assert _seen(third) == _seen(before)


@pytest.mark.parametrize(
    ("glyph", "left"),
    [(b"1 0 d0", []), (b"1 0 d0 0 0 .8 .8 re f", ["aaa"])],
    ids=["empty", "drawn"],
)
def test_drawn_glyphs_are_seen_in_every_mode(redo, glyph, left):
    def resources(pdf):
        font = pdf.get_new_xref()
        pdf.update_object(font, TYPE3.format(glyph=_stream(pdf, glyph)))
        return f"<</Font<</F1 {font} 0 R>>>>"

    after = redo(_pdf(b"BT /F1 12 Tf 3 Tr 30 150 Td (aaa) Tj ET", resources))
    assert _words(after) == sorted([*left, "anew", "read"])

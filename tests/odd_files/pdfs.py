"""PDFs that are allowed and rare: boxes, turns, nested forms, passwords, pages without content."""

import zlib
from collections.abc import Callable, Sequence

import pymupdf

from tests.odd_files import images
from tests.odd_files.odd_file import OddFile, is_either, is_read, is_refused

TEXT = b"BT /F1 18 Tf 20 60 Td (yellow window) Tj ET"
FONT = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"


def raw_pdf(objects: Sequence[bytes], root: int = 1) -> bytes:
    """A file of these objects, numbered from 1, whatever they say."""
    body, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return body + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root %d 0 R >>\n" % (
        size, table, size, root,
    ) + b"startxref\n%d\n%%%%EOF\n" % len(body)  # fmt: skip


def stream(data: bytes, dictionary: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), dictionary, data)


def one_page(entries: bytes, content: bytes = TEXT, *more: bytes) -> bytes:
    """A file of one page with these entries; object 4 is its content, `more` are 5 and on."""
    return raw_pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R %s >>" % entries,
        stream(content),
        *more,
    ])  # fmt: skip


def usual(entries: bytes = b"/MediaBox [0 0 300 120]", content: bytes = TEXT) -> bytes:
    """A page with a font."""
    return one_page(b"/Resources %s %s" % (FONT, entries), content)


def _boxed(box: bytes, more: bytes = b"") -> Callable[[], bytes]:
    return lambda: usual(b"/MediaBox [%s] %s" % (box, more))


def _locked(**passwords: object) -> Callable[[], bytes]:
    def make() -> bytes:
        with pymupdf.open(stream=usual()) as pdf:
            return bytes(pdf.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, **passwords))

    return make


def _image_in(image_format: str, mode: str) -> Callable[[], bytes]:
    def make() -> bytes:
        with pymupdf.open() as pdf:
            sheet = pdf.new_page(width=300, height=120)
            sheet.insert_image(sheet.rect, stream=images.drawn(image_format, mode)())
            return bytes(pdf.tobytes())

    return make


def _inline_image() -> bytes:
    content = b"q 200 0 0 80 20 20 cm BI /W 8 /H 1 /BPC 1 /CS /G ID \xaa EI Q"
    return usual(content=content)


def _nested_forms(depth: int) -> bytes:
    """Forms that each show the next; the last has the text."""
    forms = [
        stream(
            b"/Next Do" if number < depth else TEXT,
            b"/Type /XObject /Subtype /Form /BBox [0 0 300 120] /Resources "
            + (b"<< /XObject << /Next %d 0 R >> >>" % (5 + number) if number < depth else FONT),
        )
        for number in range(1, depth + 1)
    ]
    entries = b"/MediaBox [0 0 300 120] /Resources << /XObject << /Next 5 0 R >> >>"
    return one_page(entries, b"/Next Do", *forms)


def _external_stream() -> bytes:
    """The content is said to lie in a file of the server, which nobody may read."""
    return raw_pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 300 120] >>",
        stream(b"", b"/F (/etc/passwd)"),
    ])  # fmt: skip


def _attached() -> bytes:
    with pymupdf.open(stream=usual()) as pdf:
        pdf.embfile_add("page.png", images.drawn("PNG")())
        return bytes(pdf.tobytes())


def _pages(count: int) -> bytes:
    with pymupdf.open() as pdf:
        for _ in range(count):
            pdf.new_page(width=60, height=40)
        return bytes(pdf.tobytes())


FILES: list[OddFile] = [
    is_read("turned_450.pdf", _boxed(b"0 0 300 120", b"/Rotate 450")),
    is_read("box_corners_swapped.pdf", _boxed(b"300 120 0 0")),
    is_read("box_below_zero.pdf", _boxed(b"-100 -50 200 70")),
    is_read("crop_half.pdf", _boxed(b"0 0 300 120", b"/CropBox [0 60 300 120]")),
    is_read("one_point.pdf", _boxed(b"0 0 1 1")),
    is_read("huge_unit.pdf", _boxed(b"0 0 300 120", b"/UserUnit 2")),
    is_read("no_box.pdf", lambda: usual(b"")),
    is_read("no_content.pdf", lambda: raw_pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 120] >>",
    ])),
    is_read("forty_blank_pages.pdf", lambda: _pages(40), pages=40),
    is_read("nested_forms.pdf", lambda: _nested_forms(10)),
    is_read("inline_image.pdf", _inline_image),
    is_read("cmyk_image.pdf", _image_in("JPEG", "CMYK")),
    is_read("wavelets_image.pdf", _image_in("JPEG2000", "RGB")),
    is_read("stencil.pdf", _image_in("PNG", "LA")),
    is_read("attachment.pdf", _attached),
    is_read("junk_before.pdf", lambda: b"\r\njunk\r\n" * 9 + usual()),
    is_read("pdf_named.jpg", usual),
    is_read("external_stream.pdf", _external_stream),
    is_read("owner_password.pdf", _locked(owner_pw="owner")),
    is_refused("user_password.pdf", _locked(owner_pw="owner", user_pw="user")),
    is_either("unknown_filter.pdf", lambda: raw_pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 300 120] >>",
        stream(zlib.compress(TEXT), b"/Filter /Sorcery"),
    ])),
]  # fmt: skip

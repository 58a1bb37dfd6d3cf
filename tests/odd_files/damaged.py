"""Documents that are cut, mixed up, or none at all."""

import gzip
import io
import zipfile
from functools import partial

from tests.odd_files import images
from tests.odd_files.odd_file import OddFile, is_either, is_refused
from tests.odd_files.pdfs import TEXT, raw_pdf, stream, usual

_ENTITY = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
_SVG = b'<?xml version="1.0"?>%s<svg xmlns="http://www.w3.org/2000/svg"><text>&e;</text></svg>'


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return buffer.getvalue()


def _overwritten(data: bytes, share: float = 0.5, length: int = 40) -> bytes:
    """The file with a hole in it."""
    start = int(len(data) * share)
    return data[:start] + bytes(length) + data[start + length :]


def _cut(image_format: str, share: float) -> bytes:
    data = images.drawn(image_format)()
    return data[: int(len(data) * share)]


def _odd_depth() -> bytes:
    bmp = bytearray(images.drawn("BMP")())
    bmp[28:30] = (13).to_bytes(2, "little")
    return bytes(bmp)


def _tree(kids: bytes, count: int, *more: bytes) -> bytes:
    """A tree of pages; `more` are objects 3 and on."""
    pages = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count)
    return raw_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, *more])


def _form_of_itself() -> bytes:
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 4 0 R >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 5 0 R /Resources %s >>"
    return _tree(
        b"3 0 R", 1, page % b"<< /XObject << /X 4 0 R >> >>",
        stream(b"/X Do", form), stream(b"/X Do"),
    )  # fmt: skip


def _lying_table() -> bytes:
    """Every offset of its table points elsewhere; the objects are all there."""
    return usual().replace(b" 00000 n", b" 00007 n").replace(b"0000000", b"0000009")


FILES: list[OddFile] = [
    is_refused("empty.pdf", bytes),
    is_refused("one_byte.jpg", lambda: b"\xff"),
    is_refused("html_named.png", lambda: b"<!doctype html><title>yellow window</title>"),
    is_refused("svg_with_entity.svg", lambda: _SVG % _ENTITY),
    is_refused("office.pdf", _zip),
    is_refused("gzip_named.pdf", lambda: gzip.compress(usual())),
    is_refused("header_alone.jpg", partial(_cut, "JPEG", 0.02)),
    is_refused("header_alone.png", lambda: images.drawn("PNG")()[:33]),
    is_refused("odd_depth.bmp", _odd_depth),
    is_refused("header_alone.pdf", lambda: b"%PDF-1.7\n"),
    is_refused("no_pages.pdf", lambda: _tree(b"", 0)),
    is_either("pages_that_are_none.pdf", lambda: _tree(b"3 0 R", 1, b"(a string)")),
    *(
        is_either(f"cut.{name.lower()}", partial(_cut, name, 0.6))
        for name in ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "JPEG2000")
    ),
    is_either("hole.png", lambda: _overwritten(images.drawn("PNG")())),
    is_either("hole.jpg", lambda: _overwritten(images.drawn("JPEG")())),
    is_either("cut.pdf", lambda: usual()[:300]),
    is_either("hole.pdf", lambda: _overwritten(usual())),
    is_either("lying_table.pdf", _lying_table),
    is_either("tree_of_itself.pdf", lambda: _tree(b"2 0 R", 1)),
    is_either("trees_in_a_ring.pdf", lambda: _tree(
        b"3 0 R", 1, b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 1 >>",
    )),
    is_either("form_of_itself.pdf", _form_of_itself),
    is_either("content_of_itself.pdf", lambda: _tree(
        b"3 0 R", 1,
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R >>",
        b"[4 0 R 4 0 R]",
    )),
    is_either("huge_count.pdf", lambda: _tree(
        b"3 0 R", 2**31 - 1,
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 120] /Contents 4 0 R >>",
        stream(TEXT),
    )),
]  # fmt: skip

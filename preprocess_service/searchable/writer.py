"""The document that was read, as a PDF with its text behind its pages."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import pymupdf

from preprocess_service.document import Line, Page
from preprocess_service.pages.media_types import PDF
from preprocess_service.pages.pdf_source import open_pdf
from preprocess_service.pages.source import RasterRequest
from preprocess_service.searchable.image_pages import ImagePages
from preprocess_service.searchable.invisible_font import InvisibleFont
from preprocess_service.searchable.invisible_text import remove_invisible_text
from preprocess_service.searchable.overlay import draw_lines, read_to_points, user_to_points
from preprocess_service.searchable.scrubbing import scrub_pdf

_FONT_NAME = "OcrInvisible"
# A line whose place is taken by the page's own words up to this share is there already.
_COVERED = 0.5
_DELETE_UNUSED = 1


class _PdfPages:
    """The pages of a PDF that are taken; `finish` leaves out the others."""

    def __init__(self, path: Path, request: RasterRequest) -> None:
        self.pdf = open_pdf(path, request.password)
        self._is_scrubbed = request.scrub
        self._taken: list[int] = []

    def take(self, read: Page) -> pymupdf.Page:
        self._taken.append(read.number - 1)
        return self.pdf.load_page(read.number - 1)

    def finish(self) -> None:
        if self._taken != list(range(self.pdf.page_count)):
            self.pdf.select(self._taken)
        if self._is_scrubbed:
            scrub_pdf(self.pdf)


def write_searchable(
    path: Path, request: RasterRequest, pages: Iterable[Page], target: BinaryIO
) -> None:
    """Write the pages that were read, in their order, with their text behind them.

    A PDF's pages stay as they are, and so do its title, its bookmarks and its encryption. Text is
    added where the page does not have it already; where its own text was to be ignored, what is
    invisible of that goes.

    Raises:
        InvalidDocumentError: The file cannot be read.
        EncryptedDocumentError: It needs a password, or another one.
    """
    source = (_PdfPages if request.media_type == PDF else ImagePages)(path, request)
    with source.pdf as pdf:
        font, written = InvisibleFont(), []
        for read in pages:
            page = source.take(read)
            if request.media_type == PDF and request.text_layer == "ignore" and not read.problem:
                remove_invisible_text(pdf, page)
            if lines := _lines_to_add(page, read):
                name = _free_name(pdf, page.xref)
                frame = read_to_points(read) * ~user_to_points(page)
                _append_contents(pdf, page, draw_lines(lines, font, name, frame))
                written.append((page.xref, name))
        if written:
            number = font.embed(pdf)
            for page_number, name in written:
                pdf.xref_set_key(page_number, f"Resources/Font/{name}", f"{number} 0 R")
        source.finish()
        target.write(
            pdf.tobytes(garbage=_DELETE_UNUSED, deflate=True, encryption=pymupdf.PDF_ENCRYPT_KEEP)
        )


def _lines_to_add(page: pymupdf.Page, read: Page) -> list[Line]:
    """The lines that cannot be found in the page yet."""
    if read.source != "ocr" or not read.lines:
        return []
    to_read = page.rotation_matrix * ~read_to_points(read)
    found = [pymupdf.Rect(word[:4]) * to_read for word in page.get_text("words")]
    return [line for line in read.lines if not _is_covered(line, found)]


def _is_covered(line: Line, words: Sequence[pymupdf.Rect]) -> bool:
    box = pymupdf.Rect(line.bbox)
    area = sum(abs(pymupdf.Rect(box).intersect(word)) for word in words)
    return bool(area > _COVERED * abs(box))


def _free_name(pdf: pymupdf.Document, page_number: int) -> str:
    """A name for a font in the page's resources, which are then the page's own."""
    _make_own(pdf, page_number, "Resources")
    _make_own(pdf, page_number, "Resources/Font")
    name, count = _FONT_NAME, 1
    while pdf.xref_get_key(page_number, f"Resources/Font/{name}")[0] != "null":
        name, count = f"{_FONT_NAME}{count}", count + 1
    return name


def _make_own(pdf: pymupdf.Document, page_number: int, key: str) -> None:
    """Replace a dictionary that other pages may share by a copy; its members stay shared."""
    kind, value = pdf.xref_get_key(page_number, key)
    if kind == "null":
        kind, value = _inherited(pdf, page_number, key)
    if kind == "xref":
        value = pdf.xref_object(int(value.split()[0]), compressed=True)
    pdf.xref_set_key(page_number, key, value if kind != "null" else "<<>>")


def _inherited(pdf: pymupdf.Document, number: int, key: str) -> tuple[str, str]:
    seen = {number}
    while True:
        kind, parent = pdf.xref_get_key(number, "Parent")
        number = int(parent.split()[0]) if kind == "xref" else 0
        if number == 0 or number in seen:
            return "null", "null"
        seen.add(number)
        found: tuple[str, str] = pdf.xref_get_key(number, key)
        if found[0] != "null":
            return found


def _append_contents(pdf: pymupdf.Document, page: pymupdf.Page, text: bytes) -> None:
    """Draw the text behind everything else, in the page's first graphics state."""
    missing_push, missing_pop = page._count_q_balance()
    before = _add_stream(pdf, b"q\n" * (missing_push + 1))
    after = _add_stream(pdf, b"\nQ" * (missing_pop + 1) + b"\n" + text)
    parts = [before, *page.get_contents(), after]
    pdf.xref_set_key(page.xref, "Contents", f"[{' '.join(f'{part} 0 R' for part in parts)}]")


def _add_stream(pdf: pymupdf.Document, data: bytes) -> int:
    number = int(pdf.get_new_xref())
    pdf.update_object(number, "<<>>")
    pdf.update_stream(number, data)
    return number

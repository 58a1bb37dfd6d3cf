"""The project's own sample: a scanned page with known text, for self-checks."""

import pymupdf

SAMPLE_LINES = (
    "OCR server sample page",
    "The quick brown fox jumps over the lazy dog.",
    "Invoice 2024-117 of 3 May 2024",
    "Total amount due: 1,234.50 EUR",
)

_A4 = pymupdf.paper_rect("a4")
_SCAN_DPI = 150
_LEFT, _TOP, _LINE_HEIGHT, _FONT_SIZE = 72, 96, 36, 18


def draw_sample_pdf() -> bytes:
    """A PDF of one A4 page that holds `SAMPLE_LINES` as an image: nothing but OCR can read it."""
    with pymupdf.open() as drawn, pymupdf.open() as scanned:
        page = drawn.new_page(width=_A4.width, height=_A4.height)
        for number, line in enumerate(SAMPLE_LINES):
            page.insert_text((_LEFT, _TOP + number * _LINE_HEIGHT), line, fontsize=_FONT_SIZE)
        pixmap = page.get_pixmap(dpi=_SCAN_DPI, colorspace=pymupdf.csGRAY)
        target = scanned.new_page(width=_A4.width, height=_A4.height)
        target.insert_image(target.rect, stream=pixmap.tobytes("png"))
        scanned.set_metadata({"title": "OCR server sample"})
        return bytes(scanned.tobytes(deflate=True))

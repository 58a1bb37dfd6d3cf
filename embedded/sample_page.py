"""The page on which a freshly started stack proves itself."""

import pymupdf

LINES = (
    "The quick brown fox jumps over the lazy dog.",
    "Invoice number 20481 of 17 March 2024",
    "Total amount due: 1,284.50 EUR",
)
_MARGIN_POINTS = 72
_FONT_POINTS = 16


def draw_sample_page() -> bytes:
    """Return a PDF of one page that shows `LINES` as an image, so that reading it takes OCR."""
    drawn, page_of_pixels = pymupdf.open(), pymupdf.open()
    page = drawn.new_page()
    for row, line in enumerate(LINES):
        point = (_MARGIN_POINTS, _MARGIN_POINTS + 2 * _FONT_POINTS * row)
        page.insert_text(point, line, fontsize=_FONT_POINTS, fontname="helv")
    pixels = page.get_pixmap(dpi=150)
    scan = page_of_pixels.new_page(width=page.rect.width, height=page.rect.height)
    scan.insert_image(scan.rect, pixmap=pixels)
    pdf: bytes = page_of_pixels.tobytes(deflate=True)
    return pdf

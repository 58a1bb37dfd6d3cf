"""Texts laid out on PDF pages."""

import pymupdf

from quality.drawn.texts import (
    INVOICE,
    LETTER,
    RECEIPT,
    REPORT_COLUMNS,
    REPORT_TITLE,
    RIGHTS,
)

A4 = pymupdf.Rect(0, 0, 595, 842)
"""Page size in points."""

_INNER = pymupdf.Rect(60, 60, 535, 782)
_COLUMN_GAP = 24
_RECEIPT_WIDTH, _RECEIPT_ROW, _RECEIPT_MARGIN = 250, 18, 16


def lay_out_letter() -> pymupdf.Document:
    """Return a letter in one column, sans-serif."""
    return _lay_out(LETTER, "body {font-family: sans-serif; font-size: 11pt}")


def lay_out_invoice() -> pymupdf.Document:
    """Return an invoice with a table."""
    css = "body {font-family: sans-serif; font-size: 10pt} td {padding: 4pt 14pt 4pt 0}"
    return _lay_out(INVOICE, css)


def lay_out_rights(language: str) -> pymupdf.Document:
    """Return three articles in one language, serif, large."""
    paragraphs = "".join(f"<p>{article}</p>" for article in RIGHTS[language])
    return _lay_out(paragraphs, "body {font-family: serif; font-size: 14pt}")


def lay_out_report() -> pymupdf.Document:
    """Return a title over two columns, serif, small."""
    css = "body {font-family: serif; font-size: 9.5pt; text-align: justify}"
    document, page = _new_page(A4)
    left, top, right, bottom = _INNER
    page.insert_htmlbox(pymupdf.Rect(left, top, right, top + 40), REPORT_TITLE, css=css)
    width = (_INNER.width - _COLUMN_GAP) / 2
    for text in REPORT_COLUMNS:
        column = pymupdf.Rect(left, top + 50, left + width, bottom)
        page.insert_htmlbox(column, text, css=css)
        left += width + _COLUMN_GAP
    return document


def lay_out_receipt() -> pymupdf.Document:
    """Return a narrow till receipt, monospaced, amounts flush right."""
    height = 2 * _RECEIPT_MARGIN + _RECEIPT_ROW * len(RECEIPT)
    document, page = _new_page(pymupdf.Rect(0, 0, _RECEIPT_WIDTH, height))
    for row, (text, amount) in enumerate(RECEIPT, start=1):
        baseline = _RECEIPT_MARGIN + row * _RECEIPT_ROW - 5
        page.insert_text((_RECEIPT_MARGIN, baseline), text, fontname="cour", fontsize=10)
        end = _RECEIPT_WIDTH - _RECEIPT_MARGIN
        start = end - pymupdf.get_text_length(amount, fontname="cour", fontsize=10)
        page.insert_text((start, baseline), amount, fontname="cour", fontsize=10)
    return document


def _lay_out(html: str, css: str) -> pymupdf.Document:
    document, page = _new_page(A4)
    page.insert_htmlbox(_INNER, html, css=css)
    return document


def _new_page(size: pymupdf.Rect) -> tuple[pymupdf.Document, pymupdf.Page]:
    document = pymupdf.open()
    return document, document.new_page(width=size.width, height=size.height)

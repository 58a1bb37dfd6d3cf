"""Documents as plain text."""

from preprocess_service.document import Document

#: Between pages, as pdftotext and Tesseract write it.
PAGE_BREAK = "\f"


def write_text(document: Document) -> bytes:
    """One line of text per row; pages parted by a form feed, or merged where that was asked."""
    if document.text is not None:
        return document.text.encode()
    return PAGE_BREAK.join(f"{page.text}\n" for page in document.pages).encode()

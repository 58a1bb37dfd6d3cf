"""What a PDF does or carries beside what it shows, taken out: its pages look as before."""

import pymupdf
from pymupdf import mupdf

# Whoever opens the document, or clicks on it, sets these off; what leads to a place or a web
# address, where a reader sees it, stays.
_ACTIVE = frozenset(
    {
        "GoToE", "GoToR", "Hide", "ImportData", "JavaScript", "Launch", "Movie", "Rendition",
        "ResetForm", "RichMediaExecute", "SetOCGState", "Sound", "SubmitForm", "Thread", "Trans",
    }
)  # fmt: skip
# Actions without a click, scripts, and files within the file, wherever they stand.
_REMOVED = frozenset(
    {
        "AA", "AF", "EF", "EmbeddedFiles", "JS", "JavaScript", "OpenAction", "RichMediaContent",
        "RichMediaSettings", "XFA",
    }
)  # fmt: skip


def scrub_pdf(pdf: pymupdf.Document) -> None:
    """Take out scripts, actions other than links, forms that are programs, and attached files."""
    document = mupdf.pdf_document_from_fz_document(pdf.this)
    for number in range(1, pdf.xref_length()):
        _scrub_object(document, number)


def _scrub_object(document: mupdf.PdfDocument, number: int) -> None:
    try:
        found = mupdf.pdf_load_object(document, number)
    except mupdf.FzErrorBase:  # others might mend what MuPDF cannot read
        mupdf.pdf_delete_object(document, number)
    else:
        _scrub(found)


def _scrub(value: mupdf.PdfObj) -> None:
    """An object, and what stands in it; those that it refers to are objects of their own."""
    if mupdf.pdf_is_array(value):
        for position in range(mupdf.pdf_array_len(value)):
            _scrub_direct(mupdf.pdf_array_get(value, position))
    elif mupdf.pdf_is_dict(value):
        is_active = _name(mupdf.pdf_dict_gets(value, "S")) in _ACTIVE
        for position in reversed(range(mupdf.pdf_dict_len(value))):
            key = mupdf.pdf_dict_get_key(value, position)
            if is_active or _name(key) in _REMOVED:
                mupdf.pdf_dict_del(value, key)
            else:
                _scrub_direct(mupdf.pdf_dict_get_val(value, position))


def _scrub_direct(value: mupdf.PdfObj) -> None:
    if not mupdf.pdf_is_indirect(value):
        _scrub(value)


def _name(value: mupdf.PdfObj) -> str:
    return str(mupdf.pdf_to_name(value)) if mupdf.pdf_is_name(value) else ""

"""Documents as bytes: one module per output format, all in the table `FORMATS`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from preprocess_service.cancellation import in_thread
from preprocess_service.document import Document
from preprocess_service.formatting.alto import write_alto
from preprocess_service.formatting.hocr import write_hocr
from preprocess_service.formatting.html import write_html
from preprocess_service.formatting.markdown import write_markdown
from preprocess_service.formatting.structured import write_structured
from preprocess_service.formatting.tsv import write_tsv

#: Between pages, as pdftotext and Tesseract write it.
PAGE_BREAK = "\f"
#: The file that was read as a PDF, its text behind its pages: for formats that keep them.
AddText = Callable[[Document], Awaitable[bytes]]


@dataclass(frozen=True)
class Format:
    """How one `output_format` is written, and what the response calls it."""

    media_type: str
    write: Callable[[Document, AddText], Awaitable[bytes]]


def write_json(document: Document) -> bytes:
    """The document as JSON.

    Written page by page: nothing else runs while one is written.
    """
    head = document.model_dump_json(exclude={"pages"}).removesuffix("}").encode()
    pages = (page.model_dump_json().encode() for page in document.pages)
    return b"".join((head, b',"pages":[', b",".join(pages), b"]}"))


def write_text(document: Document) -> bytes:
    """One line of text per row; pages parted by a form feed, or merged where that was asked."""
    if document.text is not None:
        return document.text.encode()
    return PAGE_BREAK.join(f"{page.text}\n" for page in document.pages).encode()


def _from_text(
    write: Callable[[Document], bytes],
) -> Callable[[Document, AddText], Awaitable[bytes]]:
    """A writer that needs only the document; it runs beside the event loop."""

    async def run(document: Document, add_text: AddText) -> bytes:
        return await in_thread(write, document)

    return run


async def _write_pdf(document: Document, add_text: AddText) -> bytes:
    return await add_text(document)


FORMATS = {
    "json": Format("application/json", _from_text(write_json)),
    "text": Format("text/plain; charset=utf-8", _from_text(write_text)),
    "structured": Format("application/vnd.ocr.structured+json", _from_text(write_structured)),
    "markdown": Format("text/markdown; charset=utf-8", _from_text(write_markdown)),
    "html": Format("text/html; charset=utf-8", _from_text(write_html)),
    "hocr": Format("text/vnd.hocr+html; charset=utf-8", _from_text(write_hocr)),
    "alto": Format("application/xml", _from_text(write_alto)),
    "tsv": Format("text/tab-separated-values; charset=utf-8", _from_text(write_tsv)),
    "pdf": Format("application/pdf", _write_pdf),
}

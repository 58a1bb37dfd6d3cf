"""Documents as bytes: one module per output format, all in the table `FORMATS`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from preprocess_service.document import Document
from preprocess_service.formatting.alto import write_alto
from preprocess_service.formatting.hocr import write_hocr
from preprocess_service.formatting.html import write_html
from preprocess_service.formatting.markdown import write_markdown
from preprocess_service.formatting.plain_text import write_text
from preprocess_service.formatting.structured import write_structured
from preprocess_service.formatting.tsv import write_tsv


class Original(Protocol):
    """The file that was read, for formats that keep its pages."""

    async def with_text(self, document: Document) -> bytes:
        """A PDF of the pages that were read, as they were, with their text behind them.

        Raises:
            ServiceError: The file is gone, or writing it takes more than it may.
        """
        ...


@dataclass(frozen=True)
class Format:
    """How one `output_format` is written, and what the response calls it."""

    media_type: str
    write: Callable[[Document, Original], Awaitable[bytes]]


def write_json(document: Document) -> bytes:
    """The document as JSON."""
    return document.model_dump_json().encode()


def _from_text(
    write: Callable[[Document], bytes],
) -> Callable[[Document, Original], Awaitable[bytes]]:
    """A writer that needs only the document; it runs beside the event loop."""

    async def run(document: Document, original: Original) -> bytes:
        return await asyncio.to_thread(write, document)

    return run


async def _write_pdf(document: Document, original: Original) -> bytes:
    return await original.with_text(document)


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

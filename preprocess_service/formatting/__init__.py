"""Documents as bytes: one function per output format."""

from collections.abc import Callable
from dataclasses import dataclass

from preprocess_service.document import Document
from preprocess_service.formatting.plain_text import write_text


@dataclass(frozen=True)
class Format:
    """How one `output_format` is written, and what the response calls it."""

    media_type: str
    write: Callable[[Document], bytes]


def write_json(document: Document) -> bytes:
    """The document as JSON."""
    return document.model_dump_json().encode()


FORMATS = {
    "json": Format("application/json", write_json),
    "text": Format("text/plain; charset=utf-8", write_text),
}

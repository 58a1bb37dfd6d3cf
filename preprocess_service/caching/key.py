"""What an answer depends on, as one name."""

import hashlib
import json
import os
from functools import cache
from typing import BinaryIO

from preprocess_service.document import Document
from preprocess_service.options import OcrOptions

#: Options that change what is kept. A test asks for a decision on every option.
OPTIONS_IN_KEY = frozenset(
    {
        "strategy",
        "language",
        "dpi",
        "confidence_threshold",
        "enhance",
        "detect_orientation",
        "words",
        "page_range",
        "password",
        "text_layer",
    }
)
#: Options that only say how a kept document is written.
OPTIONS_LEFT_OUT = frozenset({"output_format", "merge_pages"})

# Raise it when the same bytes and options are read otherwise by new code of this service.
_VERSION = 1
_CHUNK_BYTES = 1 << 20


def make_key(content_digest: str, options: OcrOptions, release: int, variant: str) -> str:
    """The name of the answer, of hexadecimal digits; nothing can be read back from it.

    Args:
        content_digest: Of the document's bytes.
        options: How the document is to be read.
        release: Of the models that are live.
        variant: What else of this server changes its answers.
    """
    asked = options.model_dump(mode="json", include=set(OPTIONS_IN_KEY))
    parts = [_VERSION, _document_schema(), variant, release, content_digest, asked]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def digest_file(file: BinaryIO) -> str:
    """The sha256 of the whole file, wherever it stands; blocks while it reads."""
    # A caller that leaves closes the file under this thread: it then reads nothing that matters.
    descriptor, digest, offset = file.fileno(), hashlib.sha256(), 0
    while chunk := os.pread(descriptor, _CHUNK_BYTES, offset):
        digest.update(chunk)
        offset += len(chunk)
    return digest.hexdigest()


@cache
def _document_schema() -> str:
    """Names the shape of documents, so that no release answers in the words of another."""
    schema = json.dumps(Document.model_json_schema(), sort_keys=True)
    return hashlib.sha256(schema.encode()).hexdigest()

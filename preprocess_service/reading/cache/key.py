"""The key of an answer in the cache: a digest of all that the answer depends on."""

import hashlib
import json
from functools import cache

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
        "rows",
        "page_range",
        "password",
        "text_layer",
    }
)
#: Options that only say how a kept document is written.
OPTIONS_LEFT_OUT = frozenset({"output_format", "merge_pages", "scrub"})

# Raise it when the same bytes and options are read otherwise by new code of this service.
_VERSION = 1


def make_key(content_digest: str, options: OcrOptions, release: int, variant: str) -> str:
    """The key, in hexadecimal digits; nothing can be read back from it.

    Args:
        content_digest: Of the document's bytes.
        options: How the document is to be read.
        release: Of the models that are live.
        variant: What else of this server changes its answers.
    """
    asked = options.model_dump(mode="json", include=set(OPTIONS_IN_KEY))
    parts = [_VERSION, _document_schema(), variant, release, content_digest, asked]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def _document_schema() -> str:
    """A digest of the schema of documents, so that no release answers with another's."""
    schema = json.dumps(Document.model_json_schema(), sort_keys=True)
    return hashlib.sha256(schema.encode()).hexdigest()

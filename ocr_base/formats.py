"""Names of documents: by which they are known before they are read, and which their results get."""

from typing import Literal

OutputFormat = Literal[
    "json", "text", "structured", "markdown", "html", "hocr", "alto", "tsv", "pdf"
]

EXTENSIONS: dict[str, str] = {
    "json": ".json",
    "text": ".txt",
    "structured": ".structured.json",
    "markdown": ".md",
    "html": ".html",
    "hocr": ".hocr",
    "alto": ".alto.xml",
    "tsv": ".tsv",
    "pdf": ".ocr.pdf",
}
"""What is put behind the name of the document."""

SUFFIXES = frozenset(
    {".pdf", ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".gif", ".webp"}
    | {".jp2", ".j2k", ".jpx", ".heic", ".heif"}
)
"""What is taken out of a folder; what a file is, its bytes tell."""

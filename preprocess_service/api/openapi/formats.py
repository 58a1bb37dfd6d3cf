"""What each output format looks like in the OpenAPI document."""

from typing import Any

from preprocess_service.document import Document
from preprocess_service.formatting import FORMATS
from preprocess_service.formatting.structured import StructuredDocument

#: Models that bodies refer to.
DOCUMENT_MODELS = (Document, StructuredDocument)

_TEXT = {"type": "string"}
_HOCR = """<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head>…</head><body>
<div class="ocr_page" id="page_1" title="bbox 0 0 992 1403; ppageno 0; scan_res 120 120">
<div class="ocr_carea" id="block_1_1" title="bbox 72 80 311 104">…</div></div></body></html>
"""
_ALTO = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" SCHEMAVERSION="4.4"><Description>
<MeasurementUnit>pixel</MeasurementUnit></Description><Layout><Page ID="page_1" …/></Layout></alto>
"""
_TSV = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
    "5\t1\t1\t1\t1\t1\t72\t80\t239\t24\t98.00\tInvoice 2024-117\n"
)
_BODIES: dict[str, dict[str, Any]] = {
    "json": {"schema": {"$ref": f"#/components/schemas/{Document.__name__}"}},
    "text": {"schema": _TEXT, "example": "Invoice 2024-117\nTotal 12.50\n"},
    "structured": {"schema": {"$ref": f"#/components/schemas/{StructuredDocument.__name__}"}},
    "markdown": {"schema": _TEXT, "example": "# Invoice 2024-117\n\nTotal 12.50\n"},
    "html": {
        "schema": _TEXT,
        "example": '<!DOCTYPE html>\n<html lang="en"><head>…</head><body>'
        '<section id="page-1"><h1 dir="auto">Invoice 2024-117</h1></section></body></html>\n',
    },
    "hocr": {"schema": _TEXT, "example": _HOCR},
    # What an XML body holds is said by its own schema; `string` is all that OpenAPI needs to know.
    "alto": {"schema": _TEXT, "example": _ALTO},
    "tsv": {"schema": _TEXT, "example": _TSV},
    "pdf": {"schema": {"type": "string", "format": "binary"}},
}


def document_content() -> dict[str, Any]:
    """Media type → schema and example of each format's body."""
    return {item.media_type.partition(";")[0]: _BODIES[name] for name, item in FORMATS.items()}

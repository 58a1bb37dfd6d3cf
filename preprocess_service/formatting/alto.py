"""Documents as ALTO XML, version 4."""

from xml.etree.ElementTree import Element

from ocr_base.version import VERSION
from preprocess_service.document import BoundingBox, Document, Line, Page
from preprocess_service.formatting.characters import clean, language_of, words_of
from preprocess_service.formatting.layout import Block, body_height, find_blocks
from preprocess_service.formatting.markup import add, element, to_xml
from preprocess_service.geometry import place, whole_pixels

_OPENING = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v4# \
http://www.loc.gov/standards/alto/v4/alto-4-4.xsd" SCHEMAVERSION="4.4">
"""
_PROCESSING = "ocr"


def write_alto(document: Document) -> bytes:
    """A TextBlock per block, a TextLine per line, a String per word; pixels of the pages."""
    body = body_height(document)
    language = language_of(document.language)
    pages = "\n".join(to_xml(_make_page(page, body, language)) for page in document.pages)
    description = to_xml(_describe(document))
    return f"{_OPENING}{description}\n<Layout>\n{pages}\n</Layout>\n</alto>\n".encode()


def _describe(document: Document) -> Element:
    made = element("Description")
    add(made, "MeasurementUnit", "pixel")
    if document.metadata.title:
        source = add(made, "sourceImageInformation")
        add(source, "documentIdentifier", document.metadata.title)
    processing = add(made, "Processing", ID=_PROCESSING)
    add(processing, "processingCategory", "contentGeneration")
    settings = f"release {document.release}, strategy {document.strategy}"
    add(processing, "processingStepSettings", settings)
    software = add(processing, "processingSoftware")
    add(software, "softwareName", "ocr-server")
    add(software, "softwareVersion", VERSION)
    return made


def _make_page(page: Page, body: float, language: str | None) -> Element:
    made = element(
        "Page",
        ID=f"page_{page.number}",
        PHYSICAL_IMG_NR=str(page.number),
        WIDTH=str(page.width),
        HEIGHT=str(page.height),
        PROCESSINGREFS=_PROCESSING,
    )
    if page.confidence is not None:
        made.set("PC", f"{page.confidence:.4f}")
    if page.problem:
        made.set("QUALITY_DETAIL", clean(page.problem.detail))
    space = add(made, "PrintSpace", **_box((0, 0, page.width, page.height)))
    for number, block in enumerate(find_blocks(page, body), start=1):
        _add_block(space, block, f"{page.number}_{number}", language)
    return made


def _add_block(space: Element, block: Block, key: str, language: str | None) -> None:
    attributes = {"LANG": language} if language else {}
    made = add(space, "TextBlock", ID=f"block_{key}", **_box(block.bbox), **attributes)
    for number, line in enumerate(block.lines, start=1):
        _add_line(made, line, f"{key}_{number}")


def _add_line(block: Element, line: Line, key: str) -> None:
    placed = place(line.text, line.polygon)
    (x0, y0), (x1, y1) = placed.origin, placed.end
    baseline = f"{x0:.0f},{y0:.0f} {x1:.0f},{y1:.0f}"
    made = add(block, "TextLine", ID=f"line_{key}", **_box(line.bbox), BASELINE=baseline)
    for number, word in enumerate(words_of(line), start=1):
        if number > 1:
            add(made, "SP")
        add(
            made,
            "String",
            ID=f"string_{key}_{number}",
            CONTENT=word.text,
            WC=f"{word.confidence:.4f}",
            **_box(word.bbox),
        )


def _box(box: BoundingBox) -> dict[str, str]:
    left, top, right, bottom = whole_pixels(box)
    sides = {"HPOS": left, "VPOS": top, "WIDTH": right - left, "HEIGHT": bottom - top}
    return {name: str(value) for name, value in sides.items()}

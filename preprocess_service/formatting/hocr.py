"""Documents as hOCR 1.2: XHTML with the place of every line and word."""

from xml.etree.ElementTree import Element

from ocr_base.version import VERSION
from preprocess_service.document import BoundingBox, Document, Line, Page, Word
from preprocess_service.formatting.characters import language_of, words_of
from preprocess_service.formatting.layout import body_height, find_blocks
from preprocess_service.formatting.markup import add, element, to_xml
from preprocess_service.geometry import place, whole_pixels

_OPENING = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" \
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"{language}>
"""
_CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word"
# Text that is turned further says so; the slope of its baseline would say nothing.
_STEEPEST_BASELINE_DEGREES = 45


def write_hocr(document: Document) -> bytes:
    """Pages, areas, lines and words with `bbox` in pixels and `x_wconf` in percent."""
    head = element("head")
    add(head, "title", document.metadata.title or "Document")
    for name, content in _metadata(document):
        add(head, "meta", name=name, content=content)
    body = body_height(document)
    pages = "\n".join(to_xml(_make_page(page, body)) for page in document.pages)
    code = language_of(document.language)
    opening = _OPENING.format(language=f' xml:lang="{code}" lang="{code}"' if code else "")
    return f"{opening}{to_xml(head)}\n<body>\n{pages}\n</body>\n</html>\n".encode()


def _metadata(document: Document) -> list[tuple[str, str]]:
    return [
        ("ocr-system", f"ocr-server {VERSION}, release {document.release}"),
        ("ocr-capabilities", _CAPABILITIES),
        ("ocr-number-of-pages", str(len(document.pages))),
    ]


def _make_page(page: Page, body: float) -> Element:
    title = f"bbox 0 0 {page.width} {page.height}; ppageno {page.number - 1}"
    title += f"; scan_res {page.dpi} {page.dpi}"
    made = element("div", class_="ocr_page", id=f"page_{page.number}", title=title)
    for number, block in enumerate(find_blocks(page, body), start=1):
        key, box = f"{page.number}_{number}", _bbox(block.bbox)
        area = add(made, "div", class_="ocr_carea", id=f"block_{key}", title=box)
        paragraph = add(area, "p", class_="ocr_par", id=f"par_{key}", title=box, dir="auto")
        for position, line in enumerate(block.lines, start=1):
            _add_line(paragraph, line, f"{key}_{position}")
    return made


def _add_line(paragraph: Element, line: Line, key: str) -> None:
    title = f"{_bbox(line.bbox)}; {_slope(line)}; x_wconf {_percent(line.confidence)}"
    made = add(paragraph, "span", class_="ocr_line", id=f"line_{key}", title=title)
    for number, word in enumerate(words_of(line), start=1):
        _add_word(made, word, f"word_{key}_{number}").tail = " "
    made.tail = "\n"


def _add_word(line: Element, word: Word, identifier: str) -> Element:
    title = f"{_bbox(word.bbox)}; x_wconf {_percent(word.confidence)}"
    return add(line, "span", word.text, class_="ocrx_word", id=identifier, title=title)


def _slope(line: Line) -> str:
    """`baseline`, relative to the bottom left corner of the box, or `textangle`."""
    placed = place(line.text, line.polygon)
    if abs(placed.degrees) > _STEEPEST_BASELINE_DEGREES or not placed.along[0]:
        return f"textangle {placed.degrees:.1f}"
    slope = placed.along[1] / placed.along[0]
    left, _, _, bottom = line.bbox
    offset = placed.origin[1] + slope * (left - placed.origin[0]) - bottom
    return f"baseline {slope:.3f} {offset:.1f}"


def _bbox(box: BoundingBox) -> str:
    x0, y0, x1, y1 = whole_pixels(box)
    return f"bbox {x0} {y0} {x1} {y1}"


def _percent(confidence: float) -> int:
    return round(100 * confidence)

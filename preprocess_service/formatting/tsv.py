"""Documents as a table of pages, blocks, paragraphs, lines and words, as Tesseract has it."""

from collections.abc import Iterator

from preprocess_service.document import BoundingBox, Document, Line, Page
from preprocess_service.formatting.characters import as_cell, words_of
from preprocess_service.formatting.layout import body_height, find_blocks
from preprocess_service.geometry import whole_pixels

_COLUMNS = (
    "level", "page_num", "block_num", "par_num", "line_num", "word_num",
    "left", "top", "width", "height", "conf", "text",
)  # fmt: skip
_PAGE, _BLOCK, _PARAGRAPH, _LINE, _WORD = range(1, 6)
_NO_CONFIDENCE = "-1"


def write_tsv(document: Document) -> bytes:
    """Tab-separated values with a header; pixels, confidence in percent and -1 above words."""
    body = body_height(document)
    rows = ["\t".join(_COLUMNS)]
    for page in document.pages:
        rows += _write_page(page, body)
    return ("\n".join(rows) + "\n").encode()


def _write_page(page: Page, body: float) -> Iterator[str]:
    yield _row(_PAGE, (page.number, 0, 0, 0, 0), (0, 0, page.width, page.height))
    for number, block in enumerate(find_blocks(page, body), start=1):
        yield _row(_BLOCK, (page.number, number, 0, 0, 0), block.bbox)
        yield _row(_PARAGRAPH, (page.number, number, 1, 0, 0), block.bbox)
        for position, line in enumerate(block.lines, start=1):
            yield from _write_line(line, (page.number, number, 1, position))


def _write_line(line: Line, place: tuple[int, int, int, int]) -> Iterator[str]:
    yield _row(_LINE, (*place, 0), line.bbox)
    for number, word in enumerate(words_of(line), start=1):
        yield _row(_WORD, (*place, number), word.bbox, f"{100 * word.confidence:.2f}", word.text)


def _row(
    level: int,
    numbers: tuple[int, ...],
    box: BoundingBox,
    confidence: str = _NO_CONFIDENCE,
    text: str = "",
) -> str:
    left, top, right, bottom = whole_pixels(box)
    values = (level, *numbers, left, top, right - left, bottom - top, confidence, as_cell(text))
    return "\t".join(map(str, values))

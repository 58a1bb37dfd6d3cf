"""Documents as Markdown (CommonMark, tables as on GitHub)."""

import re

from preprocess_service.document import Document, Line, Page
from preprocess_service.formatting.characters import join_lines
from preprocess_service.formatting.layout import Block, body_height, find_blocks, split_marker

#: Between pages: a rule, which no text of a page can be taken for.
PAGE_BREAK = "\n---\n\n"

_INLINE = re.compile(r"([\\`*_\[\]<>|~$]|&(?=#?\w+;)|!(?=\\?\[))")
# What would begin a heading, a list, a rule or an underline.
_AT_START = re.compile(r"^(#|[-+=]|:(?=-))")
_NUMBER_AT_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def write_markdown(document: Document) -> bytes:
    """Headings, paragraphs, lists and tables; what the text says literally is escaped."""
    body = body_height(document)
    parts = [_write_page(page, body) for page in document.pages]
    return PAGE_BREAK.join(part for part in parts).encode()


def escape(text: str) -> str:
    """The text so that Markdown shows it as it is, also at the start of a row."""
    inline = _INLINE.sub(r"\\\1", text)
    return _NUMBER_AT_START.sub(r"\1\\\2", _AT_START.sub(r"\\\1", inline))


def _write_page(page: Page, body: float) -> str:
    if page.problem:
        return f"> Page {page.number}: {escape(page.problem.detail)}\n"
    blocks = [_write_block(block) for block in find_blocks(page, body)]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _write_block(block: Block) -> str:
    if block.kind == "table":
        return _write_table(block)
    if block.kind == "list":
        return "\n".join(_write_item(part) for part in block.parts)
    text = escape(join_lines(block.lines))
    return f"{'#' * block.level} {text}" if block.level else text


def _write_item(lines: tuple[Line, ...]) -> str:
    number, text = split_marker(join_lines(lines))
    marker = f"{number}." if number and number.isdigit() else "-"
    if number and not number.isdigit():
        text = f"{number}) {text}"
    return f"{marker} {escape(text)}"


def _write_table(block: Block) -> str:
    """The first row as the head: Markdown has no table without one."""
    width = max(map(len, block.parts))
    rows = [[escape(join_lines([cell])) for cell in row] for row in block.parts]
    rows = [row + [""] * (width - len(row)) for row in rows]
    rows.insert(1, ["---"] * width)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)

"""Documents as one HTML page that needs no other file."""

from xml.etree.ElementTree import Element

from preprocess_service.document import Document, Line, Page
from preprocess_service.formatting.characters import join_lines, language_of
from preprocess_service.formatting.layout import Block, body_height, find_blocks, split_marker
from preprocess_service.formatting.markup import add, element, to_html

_STYLE = (
    "body{max-width:45em;margin:2em auto;padding:0 1em;font-family:serif;line-height:1.5}"
    "section+section{border-top:1px solid;margin-top:2em}"
    "td{padding:0 1em 0 0;vertical-align:top}"
)


def write_html(document: Document) -> bytes:
    """A section per page with headings, paragraphs, lists and tables."""
    head = element("head")
    add(head, "meta", charset="utf-8")
    add(head, "meta", name="viewport", content="width=device-width")
    add(head, "title", document.metadata.title or "Document")
    add(head, "style", _STYLE)
    body = body_height(document)
    sections = "\n".join(to_html(_make_page(page, body)) for page in document.pages)
    language = language_of(document.language)
    root = f'<html lang="{language}">' if language else "<html>"
    text = f"<!DOCTYPE html>\n{root}\n{to_html(head)}\n<body>\n{sections}\n</body>\n</html>\n"
    return text.encode()


def _make_page(page: Page, body: float) -> Element:
    section = element("section", id=f"page-{page.number}")
    section.set("aria-label", f"Page {page.number}")
    if page.problem:
        add(section, "p", page.problem.detail, role="note")
    for block in find_blocks(page, body):
        _add_block(section, block)
    return section


def _add_block(section: Element, block: Block) -> None:
    if block.kind == "table":
        _add_table(section, block)
    elif block.kind == "list":
        _add_list(section, block)
    else:
        tag = f"h{block.level}" if block.level else "p"
        add(section, tag, join_lines(block.lines), dir="auto")


def _add_table(section: Element, block: Block) -> None:
    table = add(section, "table")
    for row in block.parts:
        made = add(table, "tr")
        for cell in row:
            add(made, "td", join_lines([cell]), dir="auto")


def _add_list(section: Element, block: Block) -> None:
    items = [_split_item(part) for part in block.parts]
    is_numbered = all(number is not None for number, _ in items)
    made = add(section, "ol" if is_numbered else "ul")
    for number, text in items:
        if is_numbered and number:
            add(made, "li", text, dir="auto", value=_position(number))
        else:
            add(made, "li", f"{number}. {text}" if number else text, dir="auto")
    if is_numbered and not (items[0][0] or "").isdigit():
        made.set("type", "a")


def _split_item(lines: tuple[Line, ...]) -> tuple[str | None, str]:
    return split_marker(join_lines(lines))


def _position(number: str) -> str:
    return number if number.isdigit() else str(ord(number) - ord("a") + 1)

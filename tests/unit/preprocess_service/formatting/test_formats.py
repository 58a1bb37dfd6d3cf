import csv
import io
import json
from typing import get_args

import pytest
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from ocr_base.formats import OutputFormat
from preprocess_service.document import Document
from preprocess_service.formatting import FORMATS
from preprocess_service.formatting.markdown import escape
from preprocess_service.formatting.structured import StructuredDocument
from tests.unit.preprocess_service.formatting.conftest import (
    ARABIC,
    CHINESE,
    HEBREW,
    HOSTILE,
    JAPANESE,
)
from tests.unit.preprocess_service.formatting.documents import document, line, page, paragraph


async def _write(name, made):
    return (await FORMATS[name].write(made, add_text=None)).decode()


@pytest.fixture
def two_pages() -> Document:
    return document(
        page(line("Grüße", 0, 0), line("zwei", 0, 24)), page(line("drei", 0, 0), number=2)
    )


@pytest.fixture
def report() -> Document:
    body = paragraph(
        ["A paragraph that goes on over", "more than one row, hyphen-", "ated."], 50, 100
    )
    items = [line("• one", 50, 250), line("• two", 50, 274)]
    numbered = [line("3. three", 50, 340), line("4. four", 50, 364)]
    cells = [
        line(text, left, 450 + 30 * i)
        for i, row in enumerate([("Item", "Price"), ("Pen", "2 | 3")])
        for left, text in zip((50, 300), row, strict=True)
    ]
    title = line("The Title", 50, 20, height=40)
    return document(page(title, *body, *items, *numbered, *cells))


async def test_text_parts_pages_by_a_form_feed(two_pages):
    assert await _write("text", two_pages) == "Grüße\nzwei\n\fdrei\n"


async def test_merged_text_has_no_page_break(two_pages):
    merged = two_pages.model_copy(update={"text": "Grüße\nzwei\ndrei\n"})
    assert await _write("text", merged) == "Grüße\nzwei\ndrei\n"


async def test_json_is_the_document(two_pages):
    assert Document.model_validate(json.loads(await _write("json", two_pages))) == two_pages


def test_formats_are_those_of_the_option():
    assert tuple(FORMATS) == get_args(OutputFormat)


async def test_structured_has_every_line_in_a_block(report):
    made = StructuredDocument.model_validate_json(await _write("structured", report))
    blocks = made.pages[0].blocks
    assert [block.kind for block in blocks] == ["heading", "paragraph", "list", "list", "table"]
    assert blocks[0].level == 1
    assert blocks[1].text == "A paragraph that goes on over more than one row, hyphenated."
    assert blocks[1].bbox == (50, 100, 350, 168)
    assert blocks[2].text == "• one\n• two"
    assert blocks[4].text == "Item\tPrice\nPen\t2 | 3"
    assert [item for block in blocks for part in block.parts for item in part] == list(
        report.pages[0].lines
    )


async def test_markdown_says_what_each_block_is(report):
    assert await _write("markdown", report) == (
        "# The Title\n\nA paragraph that goes on over more than one row, hyphenated.\n\n"
        "- one\n- two\n\n3. three\n4. four\n\n| Item | Price |\n| --- | --- |\n| Pen | 2 \\| 3 |\n"
    )


async def test_markdown_parts_pages_by_a_rule(two_pages):
    rendered = MarkdownIt().render(await _write("markdown", two_pages))
    assert rendered == "<p>Grüße zwei</p>\n<hr />\n<p>drei</p>\n"


@pytest.mark.parametrize(
    "text",
    [
        "# no heading", "1. no list", "12) no list", "- no list", "+ no list", "* no list",
        "> no quote", "=====", "---", "***", "`code`", "*stars* __lines__", "[a](b) ![c](d)",
        "<b>bold</b>", "&amp; &#35; & <!-- x -->", "a | b", "~~gone~~", "back\\slash \\* \\", "$x$",
        "snake_case_name", "http://a.b/c_d_e", "    indented", "|---|", ":-- a", "!", "#1 & #2",
    ],
)  # fmt: skip
def test_markdown_shows_what_the_page_says(text):
    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(escape(text.strip()))
    tree = lxml_html.fromstring(rendered)
    assert (tree.tag, len(tree), tree.text) == ("p", 0, text.strip())


async def test_html_is_semantic_and_needs_nothing_else(report):
    text = await _write("html", report)
    tree = lxml_html.fromstring(text)
    assert tree.get("lang") == "en"
    section = tree.find("body/section")
    assert [child.tag for child in section] == ["h1", "p", "ul", "ol", "table"]
    assert [item.text for item in section.find("ul")] == ["one", "two"]
    assert [(item.get("value"), item.text) for item in section.find("ol")] == [
        ("3", "three"), ("4", "four"),
    ]  # fmt: skip
    assert [[cell.text for cell in row] for row in section.find("table")] == [
        ["Item", "Price"], ["Pen", "2 | 3"],
    ]  # fmt: skip
    assert not tree.xpath("//@src | //@href | //script")


async def test_html_shows_markup_as_text(awkward):
    tree = lxml_html.fromstring(await _write("html", awkward))
    shown = [item.text for item in tree.iterfind("body/section/p")]
    assert HOSTILE in shown
    assert {ARABIC, HEBREW, CHINESE, JAPANESE} <= set(shown)
    assert "It <failed> & broke." in shown
    assert not tree.xpath("//script")
    assert len(tree.findall("body/section")) == 4


async def test_tsv_has_tesseract_s_columns_and_levels(report):
    words = page(line("two words", 50, 40, words=("two", "words")), number=7)
    rows = list(csv.DictReader(
        io.StringIO(await _write("tsv", document(words))), delimiter="\t", quoting=csv.QUOTE_NONE
    ))  # fmt: skip
    assert list(rows[0]) == [
        "level", "page_num", "block_num", "par_num", "line_num", "word_num", "left", "top",
        "width", "height", "conf", "text",
    ]  # fmt: skip
    assert [row["level"] for row in rows] == ["1", "2", "3", "4", "5", "5"]
    assert {row["page_num"] for row in rows} == {"7"}
    assert [(row["word_num"], row["text"], row["conf"], row["left"], row["width"]) for row in rows][
        -2:
    ] == [("1", "two", "80.00", "50", "30"), ("2", "words", "80.00", "90", "50")]
    assert {row["conf"] for row in rows[:4]} == {"-1"}


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ('=HYPERLINK("http://example.org")', '\'=HYPERLINK("http://example.org")'),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("\t@SUM(1)", "'@SUM(1)"),
        ("\N{FULLWIDTH EQUALS SIGN}1+1", "'\N{FULLWIDTH EQUALS SIGN}1+1"),
        ("-", "'-"),
        ('"=1+1"', '\'"=1+1"'),
        ("-12.50", "-12.50"),
        ("+1.234,56", "+1.234,56"),
        ("-5%", "-5%"),
        ("12=5", "12=5"),
    ],
)
async def test_no_cell_of_tsv_is_a_formula(text, cell):
    rows = (await _write("tsv", document(page(line(text, 0, 0))))).splitlines()
    assert rows[-1].split("\t")[-1] == cell


async def test_tsv_of_anything_has_twelve_columns(awkward):
    rows = (await _write("tsv", awkward)).split("\n")
    assert rows.pop() == ""
    assert {row.count("\t") for row in rows} == {11}
    assert len([row for row in rows if row.startswith("1\t")]) == 4
    assert not any(ord(char) < 32 for row in rows for char in row.replace("\t", ""))


@pytest.mark.parametrize("name", ["structured", "markdown", "html", "hocr", "alto", "tsv"])
async def test_document_without_any_line_is_valid_too(name, awkward):
    blank = awkward.model_copy(update={"pages": awkward.pages[1:3]})
    assert await _write(name, blank)


@pytest.mark.parametrize("name", ["markdown", "html", "hocr", "alto", "tsv"])
async def test_no_format_lets_control_characters_through(name, awkward):
    text = await _write(name, awkward)
    assert not {char for char in text if ord(char) < 32} - {"\n", "\t"}
    assert not {"\x85", "\ufffe"} & set(text)

import pytest

from preprocess_service.formatting.characters import join_lines
from preprocess_service.formatting.layout import body_height, find_blocks, split_marker
from tests.unit.preprocess_service.formatting.documents import document, line, page, paragraph


def _blocks(*lines):
    made = page(*lines)
    return find_blocks(made, body_height(document(made)))


def _described(*lines):
    return [(block.kind, [item.text for item in block.lines]) for block in _blocks(*lines)]


def test_lines_close_to_each_other_are_a_paragraph_and_a_gap_ends_it():
    first, second = paragraph(["a", "b", "c"], 50, 50), paragraph(["d", "e"], 50, 160)
    assert _described(*first, *second) == [
        ("paragraph", ["a", "b", "c"]),
        ("paragraph", ["d", "e"]),
    ]


def test_widely_spaced_page_keeps_its_paragraphs():
    spaced = paragraph(["a", "b", "c", "d"], 50, 50, pitch=40)
    apart = paragraph(["e", "f"], 50, 260, pitch=40)
    assert [len(block.lines) for block in _blocks(*spaced, *apart)] == [4, 2]


def test_indent_begins_a_paragraph():
    lines = [line("a", 50, 50, width=300), line("b", 50, 74, width=300)]
    lines += [line("c", 80, 98, width=270), line("d", 50, 122, width=300)]
    assert [len(block.lines) for block in _blocks(*lines)] == [2, 2]


def test_columns_are_blocks_one_after_the_other():
    left, right = paragraph("ab", 50, 50), paragraph("cd", 400, 50)
    assert [len(block.lines) for block in _blocks(*left, *right)] == [2, 2]


def test_large_short_lines_are_headings_by_size():
    lines = [
        line("Title", 50, 20, height=40),
        line("Part", 50, 80, height=31),
        line("Section", 50, 130, height=27),
        *paragraph(["a long row of the body " * 5] * 3, 50, 200),
    ]
    blocks = _blocks(*lines)
    assert [(block.kind, block.level) for block in blocks] == [
        ("heading", 1), ("heading", 2), ("heading", 3), ("paragraph", None),
    ]  # fmt: skip


def test_large_figures_and_long_large_text_are_no_headings():
    body = paragraph(["a long row of the body " * 5] * 9, 50, 300)
    figures = line("1 250.00", 50, 20, height=40)
    long = [line("large print " * 6, 50, 100 + 50 * i, height=40) for i in range(3)]
    assert [block.kind for block in _blocks(figures, *long, *body)] == ["paragraph"] * 3


def test_page_of_one_size_has_no_heading():
    assert [block.kind for block in _blocks(line("Only", 50, 50))] == ["paragraph"]


def test_bullets_and_numbers_are_items_with_their_further_lines():
    lines = [
        line("• one", 50, 50, width=300), line("more of one", 65, 74, width=285),
        line("• two", 50, 98, width=300),
        line("1. first", 50, 200, width=300), line("2. second", 50, 224, width=300),
    ]  # fmt: skip
    bullets, numbers = _blocks(*lines)
    assert (bullets.kind, [len(part) for part in bullets.parts]) == ("list", [2, 1])
    assert (numbers.kind, len(numbers.parts)) == ("list", 2)


@pytest.mark.parametrize(
    "text", ["12. März 2024", "1998. A year", "3.5 percent", "-5 degrees", "a) b"]
)
def test_what_only_looks_like_an_item_is_text(text):
    assert [block.kind for block in _blocks(line(text, 50, 50, width=300))] == ["paragraph"]


def test_number_within_a_sentence_begins_no_list():
    lines = paragraph(
        ["They came on the", "12. of March and", "left on the", "14. of April"], 50, 50
    )
    assert _described(*lines) == [("paragraph", [item.text for item in lines])]


def test_rows_of_cells_are_a_table_and_one_row_is_none():
    rows = [
        [
            line("Item", 50, 50 + 30 * i),
            line("Price", 300, 50 + 30 * i),
            line("9", 500, 50 + 30 * i),
        ]
        for i in range(3)
    ]
    alone = [line("Total", 50, 400), line("27", 500, 400)]
    table, *others = _blocks(*(cell for row in rows for cell in row), *alone)
    assert (table.kind, [len(row) for row in table.parts]) == ("table", [3, 3, 3])
    assert [block.kind for block in others] == ["paragraph", "paragraph"]


def test_every_line_is_in_exactly_one_block(awkward):
    for made in awkward.pages:
        found = [item for block in find_blocks(made, body_height(awkward)) for item in block.lines]
        assert sorted(map(id, found)) == sorted(map(id, made.lines))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["one", "two"], "one two"),
        (["exam-", "ple"], "example"),
        (["Baden-", "Württemberg"], "Baden- Württemberg"),
        (["1990-", "1995"], "1990- 1995"),
        (["日本", "語"], "日本語"),
        (["日本", "abc"], "日本 abc"),
        (["한국", "어"], "한국 어"),
        (["soft\u00ad", "ened"], "softened"),
        (["", "a", "\x00"], "a \ufffd"),
    ],
)
def test_rows_become_running_text(rows, expected):
    assert join_lines(line(row, 0, 0) for row in rows) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("• one", (None, "one")), ("•one", (None, "one")), ("- one", (None, "one")),
        ("12. one", ("12", "one")), ("(3) one", ("3", "one")), ("b) one", ("b", "one")),
        ("plain", (None, "plain")),
    ],
)  # fmt: skip
def test_marker_is_parted_from_its_item(text, expected):
    assert split_marker(text) == expected

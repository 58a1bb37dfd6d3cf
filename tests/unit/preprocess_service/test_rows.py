"""Rows: what stands side by side is one, and nothing else is."""

import pytest

from preprocess_service.options import OcrOptions
from preprocess_service.pages.source import PageSize, TextPage
from preprocess_service.reading.assembly import assemble_text_page
from preprocess_service.rows import as_rows, number_rows, row_text
from tests.unit.preprocess_service.formatting.documents import line, paragraph, tilted

RECEIPT = (
    line("Milk", 10, 10), line("1.20", 300, 12),
    line("Bread", 10, 40), line("3.40", 300, 41),
    line("Total:", 10, 70), line("EUR", 75, 70), line("4.60", 300, 70),
)  # fmt: skip


def _column(left):
    return tilted("縦書きの文", ((left, 0), (left + 20, 0), (left + 20, 300), (left, 300)))


def test_an_item_and_its_price_share_a_row():
    assert [line.row for line in number_rows(RECEIPT)] == [1, 1, 2, 2, 3, 3, 3]


def test_columns_are_divided_by_tabs_and_close_parts_by_a_blank():
    rows = [row_text(row) for row in as_rows(RECEIPT)]
    assert rows == ["Milk\t1.20", "Bread\t3.40", "Total: EUR\t4.60"]


@pytest.mark.parametrize(
    "lines",
    [
        [*paragraph(["one", "two"], 10, 10), *paragraph(["three", "four"], 400, 10)],
        [_column(200), _column(160), _column(120)],
        [line("item", 10, 10), line("note below", 300, 22)],
    ],
    ids=["columns of prose", "vertical columns", "another height"],
)
def test_what_is_not_side_by_side_has_rows_of_its_own(lines):
    assert [line.row for line in number_rows(lines)] == [*range(1, len(lines) + 1)]


@pytest.mark.parametrize(("rows", "text"), [(True, "Milk\t1.20"), (False, "Milk\n1.20")])
def test_the_text_of_a_page_has_rows_where_they_are_wanted(rows, text):
    page = TextPage(lines=RECEIPT[:2], size=PageSize(600, 800), dpi=100)
    assert assemble_text_page(0, page, OcrOptions(rows=rows)).text == text

import time

import pytest

from preprocess_service.errors import InvalidOptionsError
from preprocess_service.page_range import parse_page_range, select_pages


@pytest.mark.parametrize(
    ("page_range", "expected"),
    [
        (None, [0, 1, 2, 3, 4]),
        ("1", [0]),
        ("2-3", [1, 2]),
        ("4-", [3, 4]),
        ("1-2, 5", [0, 1, 4]),
        ("5,1,1-2", [0, 1, 4]),
        ("1-100", [0, 1, 2, 3, 4]),
        ("2-,1-3,2-", [0, 1, 2, 3, 4]),
    ],
)
def test_pages_come_in_document_order_each_once(page_range, expected):
    assert select_pages(page_range, 5) == expected


@pytest.mark.parametrize(
    "page_range", ["", "a", "1,,2", "0", "3-2", "-3", "1-2-3", "1.5", "9" * 12, "\u0661"]
)
def test_ill_formed_range_is_refused(page_range):
    with pytest.raises(InvalidOptionsError, match="page_range"):
        parse_page_range(page_range)


def test_range_behind_the_last_page_is_refused():
    with pytest.raises(InvalidOptionsError, match="page 6 does not exist, the document has 5"):
        select_pages("1,6-", 5)


def test_parts_that_overlap_cost_what_one_costs():
    started = time.process_time()
    assert len(select_pages("1-," * 2700 + "1-", 100_000)) == 100_000
    assert time.process_time() - started < 5

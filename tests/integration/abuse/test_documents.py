"""Small documents that ask for time, for memory or to be obeyed."""

import pytest

from tests.integration.abuse.attacks import documents
from tests.integration.abuse.target import rounds, untold

_MOST_TEXT = 33 << 20


def _crowd(target, seconds):
    answers = []
    for _ in rounds(seconds):
        answers += documents.crowded_at_once(target)
    assert {answer.status_code for answer in answers} <= {200, 413, 429}
    assert max(len(answer.content) for answer in answers) < _MOST_TEXT
    assert untold(answers) == []
    (read, *_) = [answer.json() for answer in answers if answer.status_code == 200]
    assert "MAX_RESULT_MB" in read["pages"][-1]["problem"]["detail"]


def test_text_without_end(attempt, target):
    with attempt("3", "40 pages that share 14,000 words, with words, twice at once"):
        _crowd(target, 1)


def test_pages_that_are_never_drawn(attempt, target):
    with attempt("6", "six documents of 40 pages that are never drawn, 4 s"):
        documents.never_drawn(target)


def test_nothing_in_an_answer_is_run(attempt, target):
    with attempt("16", "formulas and a script as a page's text"):
        tsv, html, hocr, json = documents.active_text(target)
    for answer in (tsv, html, hocr, json):
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    cells = [cell for row in tsv.text.splitlines() for cell in row.split("\t")]
    assert any("cmd" in cell for cell in cells)
    assert not [cell for cell in cells if cell[:1] in {"=", "@"}]
    assert "<script" not in html.text + hocr.text


@pytest.mark.lengthy
def test_text_without_end_for_half_a_minute(attempt, target):
    with attempt("3", "the same for 30 s"):
        _crowd(target, 30)


@pytest.mark.lengthy
def test_pages_that_are_never_drawn_until_they_are_refused(attempt, target):
    with attempt("6", "two documents of 40 pages that are never drawn, to their end"):
        answers = documents.never_drawn(target, count=2, seconds=280)
    assert len(answers) == 2
    assert {answer.status_code for answer in answers} <= {200, 422, 429}
    assert untold(answers) == []

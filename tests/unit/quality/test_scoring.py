"""Scores worked out by hand."""

import pytest

from quality.predictions import Line
from quality.scoring import normalize, score, score_item, summarize, summarize_by
from tests.unit.quality.items import make_item


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufb01ne \uff21\uff11", "fine A1"),
        ("\u201cit\u2019s\u201d", '"it\'s"'),
        ("a\u2014b \u2013 c\u2212d", "a-b - c-d"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\u2022 one \u25a1 two \u2611 three", "one two three"),
        ("  a\n\n b\tc\u00a0d ", "a b c d"),
        ("l\u00b4eau", "l'eau"),
    ],
)
def test_normalization_gives_one_spelling(text, expected):
    assert normalize(text) == expected


def test_f1_counts_words_as_often_as_they_stand():
    result = score_item(make_item("the cat and the dog"), [Line("the the"), Line("the cat")])
    # matched: the, the, cat = 3; precision 3/4, recall 3/5
    assert (result.matched, result.predicted, result.expected) == (3, 4, 5)
    assert result.f1 == pytest.approx(2 * 0.75 * 0.6 / 1.35)


def test_order_of_lines_matters_to_cer_alone():
    result = score_item(make_item("ab cd"), [Line("cd"), Line("ab")])
    assert result.f1 == 1.0
    assert result.edits == 4
    assert result.cer == pytest.approx(4 / 5)


def test_item_without_trusted_order_has_no_cer():
    result = score_item(make_item("ab", measures=frozenset({"text_bag"})), [Line("ab")])
    assert result.cer is None
    assert summarize([result]).cer_micro is None


def test_upper_cased_truth_is_compared_without_case():
    assert score_item(make_item("TOTAL", ignores_case=True), [Line("Total")]).f1 == 1.0
    assert score_item(make_item("TOTAL"), [Line("Total")]).f1 == 0.0


def test_unreliable_spaces_compare_characters():
    item = make_item("\u6771\u4eac \u90fd", has_reliable_spaces=False)
    result = score_item(item, [Line("\u6771 \u4eac")])
    assert (result.matched, result.predicted, result.expected) == (2, 2, 3)
    assert result.cer == pytest.approx(1 / 3)


def test_line_centred_in_an_ignored_region_is_left_out():
    item = make_item("keep", ignored_boxes=((0, 0, 50, 50),))
    inside = Line("drop", box=(10, 10, 80, 20))
    outside = Line("keep", box=(10, 60, 80, 70))
    assert score_item(item, [inside, outside]).f1 == 1.0
    assert score_item(item, [Line("drop"), outside]).predicted == 2


def test_unanswered_page_scores_as_empty_and_is_counted():
    summary = summarize([score_item(make_item("a b"), None), score_item(make_item("a b"), [])])
    assert (summary.pages, summary.unanswered) == (2, 1)
    assert (summary.f1_macro, summary.cer_macro) == (0.0, 1.0)


def test_blank_page_read_as_blank_is_perfect():
    assert score_item(make_item(""), []).f1 == 1.0
    assert score_item(make_item(""), [Line("ghost")]).f1 == 0.0


def test_macro_averages_pages_and_micro_averages_words():
    short = score_item(make_item("a"), [Line("x")])
    long = score_item(make_item("a b c"), [Line("a b c")])
    summary = summarize([short, long])
    assert summary.f1_macro == pytest.approx(0.5)
    assert summary.f1_micro == pytest.approx(3 / 4)
    assert summary.cer_macro == pytest.approx(0.5)
    assert summary.cer_micro == pytest.approx(1 / 6)


def test_only_predicted_text_items_are_scored():
    items = [
        make_item("a"),
        make_item("b", item_id="b"),
        make_item("c", item_id="c", measures=frozenset({"word_recall"})),
    ]
    scores = score(items, {"a": [Line("a")], "c": [Line("c")]})
    assert [s.item_id for s in scores] == ["a"]


def test_groups_keep_the_order_of_appearance():
    scores = [
        score_item(make_item("a", kind="receipt"), [Line("a")]),
        score_item(make_item("a", kind="page"), [Line("b")]),
        score_item(make_item("a", kind="receipt"), [Line("b")]),
    ]
    groups = summarize_by(scores, lambda s: s.kind)
    assert list(groups) == ["receipt", "page"]
    assert groups["receipt"].f1_macro == pytest.approx(0.5)

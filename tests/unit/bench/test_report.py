"""Tables and files of a report."""

import json

import pytest

from bench.measuring import Measurement
from bench.reading import Reading
from bench.report import (
    build_tables,
    list_remarks,
    score_measurements,
    write_json,
    write_markdown,
)
from quality.predictions import Line
from tests.unit.quality.items import make_item


def measurement(name, is_ours, predictions, seconds, **changes) -> Measurement:
    readings = [Reading(predictions, pages=2, seconds=s) for s in seconds]
    return Measurement(name, is_ours, "1.0", "alone", readings, **changes)


@pytest.fixture
def items():
    return [
        make_item("one two", item_id="en"),
        make_item("drei vier", item_id="de", language="de", kind="scan"),
    ]


@pytest.fixture
def measurements():
    ours = {"en": [Line("one two")], "de": [Line("drei")]}
    peer = {"en": [Line("one")], "de": None}
    return [
        measurement("server speed", True, ours, [1.0, 0.5, 0.1]),
        measurement("peer", False, peer, [2.0]),
        Measurement("other", False, unavailable="it is not installed"),
    ]


def test_figures_and_ratio_come_from_the_median_pass(items, measurements):
    tables = build_tables(score_measurements(measurements, items))
    setups, figures, ratios, kinds, languages = tables
    assert setups.rows == [("server speed", "1.0", "alone"), ("peer", "1.0", "alone")]
    row = dict(zip(figures.header, figures.rows[0], strict=True))
    assert (row["F1 en"], row["F1 all"], row["pages/s"]) == ("1.0000", "0.8571", "4.00")
    assert ratios.rows == [["peer", "4.00 x"]]
    assert kinds.rows == [["page", "1.0000", "0.6667"], ["scan", "0.6667", "0.0000"]]
    assert [row[0] for row in languages.rows] == ["en", "de"]


def test_what_is_missing_is_said(measurements):
    measurements[0].readings[0].errors["en"] = "503"
    assert list_remarks(measurements) == [
        "server speed: failed: en: 503",
        "peer: not answered: de",
        "other: not measured, it is not installed",
    ]


def test_failed_page_counts_as_empty(items):
    reading = Reading({"en": [Line("one two")]}, {"de": "lost"}, pages=1, seconds=1)
    (scored,) = score_measurements([Measurement("e", True, readings=[reading])], items)
    assert [s.f1 for s in scored.scores] == [1.0, 0.0]


def test_engine_that_did_not_start_is_an_error_without_figures(items):
    failed = Measurement("e", is_ours=True, failure="port taken")
    assert failed.errors == {"e": "port taken"}
    assert score_measurements([failed], items) == []


def test_files_hold_tables_facts_and_figures_of_each_page(items, measurements, tmp_path):
    scored = score_measurements(measurements, items)
    facts = {"cores used": "2"}
    write_markdown(tmp_path / "out" / "r.md", facts, build_tables(scored), measurements)
    write_json(tmp_path / "out" / "r.json", facts, scored)
    markdown = (tmp_path / "out" / "r.md").read_text()
    assert "- cores used: 2" in markdown
    assert "| peer | 4.00 x |" in markdown
    assert "- other: not measured, it is not installed" in markdown
    engine = json.loads((tmp_path / "out" / "r.json").read_text())["engines"][1]
    assert engine["items"]["en"]["f1"] == pytest.approx(2 / 3)
    assert engine["predictions"] == {"en": [Line("one").to_dict()], "de": None}

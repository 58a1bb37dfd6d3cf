"""The drawn pages carry the truth that their manifest says."""

import html
import json
import re

import numpy as np
import pytest

from bench.peers.page_image import load_page
from quality.drawn import layouts
from quality.drawn.folder import SHEETS, draw_folder, read_lines
from quality.drawn.texts import INVOICE, LETTER, RECEIPT, REPORT_COLUMNS, REPORT_TITLE
from quality.items import load_items
from quality.scoring import normalize


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return draw_folder(tmp_path_factory.mktemp("pages"))


def words_of(markup: str) -> list[str]:
    return normalize(html.unescape(re.sub(r"<[^>]+>", " ", markup))).split()


@pytest.mark.parametrize(
    ("lay_out", "source"),
    [
        (layouts.lay_out_letter, LETTER),
        (layouts.lay_out_report, REPORT_TITLE + "".join(REPORT_COLUMNS)),
        (layouts.lay_out_invoice, INVOICE),
        (layouts.lay_out_receipt, "\n".join(" ".join(row) for row in RECEIPT)),
    ],
)
def test_every_word_stands_on_the_page_in_reading_order(lay_out, source):
    with lay_out() as document:
        text = "\n".join(line for line, _ in read_lines(document[0]))
    assert normalize(text).split() == words_of(source)


def test_folder_is_one_that_the_benchmark_reads(folder):
    items = load_items(folder)
    assert len(items) == len(SHEETS)
    assert {item.language for item in items} == {"en", "de", "fr", "es", "ru", "zh", "ja"}
    assert {item.kind for item in items} == {"page", "receipt", "pdf", "scan"}


@pytest.mark.parametrize("name", [sheet.file for sheet in SHEETS])
def test_boxes_hold_the_ink(folder, name):
    (entry,) = (e for e in json.loads((folder / "manifest.json").read_text()) if e["file"] == name)
    page = load_page(folder / name, 1)
    scale = page.shape[1] / entry["width"]
    grey = page.mean(axis=2)
    contrast = np.abs(grey - np.median(grey))
    for line in entry["lines"]:
        x0, y0, x1, y1 = (int(edge * scale) for edge in line["box"])
        assert contrast[y0:y1, x0:x1].max() > 60, line["text"]
    inside = np.zeros(contrast.shape, bool)
    for line in entry["lines"]:
        x0, y0, x1, y1 = (int(edge * scale) for edge in line["box"])
        inside[y0 - 2 : y1 + 3, x0 - 2 : x1 + 3] = True
    assert contrast[inside].mean() > 2 * contrast[~inside].mean()


def test_pages_are_the_same_every_time(folder, tmp_path):
    again = draw_folder(tmp_path)
    assert (again / "manifest.json").read_text() == (folder / "manifest.json").read_text()
    name = "report_faded_en.jpg"
    assert (again / name).read_bytes() == (folder / name).read_bytes()

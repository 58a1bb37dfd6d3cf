"""Pages of columns, with models that answer by rule: what begins with black reads well."""

import asyncio

import numpy as np
import orientation
import pytest
from ctc_decode import DecodedLine
from directions import Direction
from line_reader import Line
from line_words import Piece
from page_settings import Strategy
from reader import PageReader
from vertical_writing import in_columns, may_be_vertical, sample_characters
from word_gaps import Strips

from tests.unit.model_repository.rule_models import SETTINGS, StartsBlack

COLUMN = np.array([[100, 50], [120, 50], [120, 250], [100, 250]], np.float32)


def line(text, direction=Direction.DOWN, polygon=COLUMN):
    """A line whose characters share its length evenly."""
    count = len(text)
    edges = np.arange(count + 1) * 10.0
    decoded = DecodedLine(list(text), np.arange(count), np.arange(count), np.ones(count))
    piece = Piece(decoded, [False] * count, Strips(edges, edges, 10 * count))
    return Line(text, 1.0, polygon, (piece,), direction)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line("山の上の小さな寺")], True),
        ([line("山の上の小さな寺"), line("No. 12", Direction.RIGHT)], True),
        ([line("down the page")], False),
        ([line("山の上の小さな寺", Direction.RIGHT)], False),
        ([], False),
    ],
)
def test_only_text_that_runs_down_may_be_vertical(lines, expected):
    assert may_be_vertical(lines) is expected


def test_a_sampled_character_has_the_square_where_it_stands():
    characters = "一二三四五六七八九十"
    samples = sample_characters([line(characters)])
    assert 3 <= len(samples) <= 6
    for character, outline in samples:
        top = 50 + 20 * characters.index(character)
        expected = [[100, top], [120, top], [120, top + 20], [100, top + 20]]
        np.testing.assert_allclose(outline, expected, atol=1e-3)


def test_columns_are_read_from_the_right():
    lines = [
        line(text, polygon=np.add(COLUMN, [x, 0]))
        for text, x in (("三", 0), ("一", 80), ("二", 40))
    ]
    assert [line.text for line in in_columns(lines)] == ["一", "二", "三"]


class Columns(StartsBlack):
    """Reads 中 in lines, and `alone` in what is no longer than high."""

    def __init__(self, alone):
        super().__init__(letters_per_step=0.5)
        self.alone = alone

    async def __call__(self, model, batch):
        answer = await super().__call__(model, batch)
        if model == "rec":
            is_line = batch.shape[2] > 96
            codepoints = answer["CODEPOINT"]
            codepoints[codepoints > 0] = ord("中")
            codepoints[:, 1::2] = ord("中") if is_line else 0
            if not is_line:
                codepoints[:, 0] = ord(self.alone)
                codepoints[:, 1:] = 0
        return answer


@pytest.mark.parametrize(("alone", "rotation"), [("中", 0), ("x", 270)])
def test_characters_that_stand_upright_tell_columns_from_a_page_on_its_side(alone, rotation):
    page = np.full((400, 400, 3), 255, np.uint8)
    for top in range(50, 300, 50):
        page[top : top + 14, 40:300] = 100
        page[top : top + 14, 40:70] = 0
    strategy = Strategy("det", ["rec"], 1.0, "when_unreadable", False)
    reader = PageReader(SETTINGS, Columns(alone))
    reading = asyncio.run(reader.read(orientation.turn(page, 90), strategy, "rec"))
    assert reading.rotation == rotation
    assert reading.is_vertical is (rotation == 0)
    if reading.is_vertical:
        lefts = [line.polygon[0, 0] for line in reading.lines]
        assert lefts == sorted(lefts, reverse=True)

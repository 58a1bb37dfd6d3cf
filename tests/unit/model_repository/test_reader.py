"""The reader with models that answer by rule."""

import asyncio

import numpy as np
import orientation
import pytest
from directions import Direction
from page_settings import Strategy
from reader import PageReader

from tests.unit.model_repository.rule_models import PLAIN, SETTINGS, RuleModels, StartsBlack


def page_with_lines(count, height=700, width=400):
    page = np.full((height, width, 3), 255, np.uint8)
    for i in range(count):
        page[20 + 30 * i : 34 + 30 * i, 40:300] = 0
    return page


def read(page, models, strategy=PLAIN):
    return asyncio.run(PageReader(SETTINGS, models).read(page, strategy, "rec"))


def test_blank_page_has_no_lines_and_calls_no_recognizer():
    models = RuleModels()
    assert read(np.full((300, 300, 3), 255, np.uint8), models).lines == []
    assert models.batches("rec") == []


def test_page_with_more_lines_than_one_batch():
    models = RuleModels()
    reading = read(page_with_lines(22), models)
    assert [line.text for line in reading.lines] == ["x"] * 22
    assert max(shape[0] for shape in models.batches("rec")) <= 4
    tops = [line.polygon[0, 1] for line in reading.lines]
    assert tops == sorted(tops)


def test_polygons_are_in_page_pixels_whatever_detection_shrank():
    page = np.full((1472, 800, 3), 255, np.uint8)
    page[400:440, 100:700] = 0
    (line,) = read(page, RuleModels()).lines
    np.testing.assert_allclose(line.polygon.mean(axis=0), [400, 420], atol=3)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (3, 3)])
def test_smallest_images_are_answered(size):
    assert read(np.full((*size, 3), 255, np.uint8), RuleModels()).lines == []


def test_long_image_is_read_in_windows_and_no_line_twice():
    page = np.full((10_000, 400, 3), 255, np.uint8)
    for top in range(50, 9_900, 100):
        page[top : top + 14, 40:300] = 0
    reading = read(page, RuleModels())
    assert len(reading.lines) == len(range(50, 9_900, 100))


def test_line_wider_than_the_widest_bucket_is_one_line_of_joined_pieces():
    page = np.full((100, 730, 3), 255, np.uint8)
    page[40:52, 10:720] = 0
    (line,) = read(page, RuleModels()).lines
    assert set(line.text) <= {"x", " "}
    assert len(line.text.replace(" ", "")) > 1


def page_that_begins_black(black):
    """Five lines, gray but for `black`, their columns where they are black."""
    page = np.full((400, 400, 3), 255, np.uint8)
    for top in range(50, 300, 50):
        page[top : top + 14, 40:300] = 100
        page[top : top + 14, black] = 0
    return page


@pytest.mark.parametrize("when", ["always", "when_unreadable"])
def test_a_page_on_its_head_is_turned_and_says_so(when):
    models = StartsBlack(turned_by=180, letters_per_step=0.5)
    strategy = Strategy("det", ["rec"], 1.0, when, False)
    reading = read(page_that_begins_black(slice(270, 300)), models, strategy)
    assert reading.rotation == 180
    assert [line.polygon[0, 1] for line in reading.lines] == sorted(
        line.polygon[0, 1] for line in reading.lines
    )


def test_a_page_that_reads_well_is_not_turned_whatever_the_model_says():
    models = StartsBlack(turned_by=180, letters_per_step=0.5)
    strategy = Strategy("det", ["rec"], 1.0, "always", False)
    assert read(page_that_begins_black(slice(40, 70)), models, strategy).rotation == 0
    assert len(models.batches("turns")) == 1


@pytest.mark.parametrize("rotation", [90, 270])
def test_a_page_whose_lines_run_up_or_down_is_turned_without_asking(rotation):
    models = StartsBlack(letters_per_step=0.5)
    page = orientation.turn(page_that_begins_black(slice(40, 70)), 360 - rotation)
    strategy = Strategy("det", ["rec"], 1.0, "when_unreadable", False)
    reading = read(page, models, strategy)
    assert reading.rotation == rotation
    assert {line.direction for line in reading.lines} == {Direction.RIGHT}
    assert models.batches("turns") == []


def test_page_that_reads_well_is_not_checked_for_orientation():
    models = RuleModels(turned_by=90)
    strategy = Strategy("det", ["rec"], 1.0, "when_unreadable", False)
    assert read(page_with_lines(5), models, strategy).rotation == 0
    assert models.batches("turns") == []


def test_page_that_reads_badly_is_checked():
    models = RuleModels(confidence=0.3)
    read(page_with_lines(5), models, Strategy("det", ["rec"], 1.0, "when_unreadable", False))
    assert len(models.batches("turns")) == 1


@pytest.mark.parametrize(
    ("black", "direction", "reads"),
    [(slice(280, 300), Direction.UP, 1), (slice(100, 120), Direction.DOWN, 2)],
)
def test_a_tall_line_is_read_in_the_direction_that_reads_well(black, direction, reads):
    page = np.full((400, 400, 3), 255, np.uint8)
    page[100:300, 50:70] = 100
    page[black, 50:70] = 0
    models = StartsBlack(letters_per_step=0.5)
    (line,) = read(page, models).lines
    assert line.direction is direction
    assert len(models.batches("rec")) == reads
    start = line.reading_polygon[[0, 3]].mean(axis=0)
    assert abs(start[1] - (black.start + black.stop) / 2) < 30


def test_a_letter_by_itself_stands_upright_and_is_read_once():
    page = np.full((100, 100, 3), 255, np.uint8)
    page[40:60, 40:50] = 0
    models = StartsBlack()
    (line,) = read(page, models).lines
    assert line.direction is Direction.RIGHT
    assert len(models.batches("rec")) == 1


def test_letters_by_themselves_are_no_reason_to_turn_the_page():
    page = np.full((300, 300, 3), 255, np.uint8)
    for left in range(30, 270, 40):
        page[40:60, left : left + 10] = 0
    models = StartsBlack()
    read(page, models, Strategy("det", ["rec"], 1.0, "when_unreadable", False))
    assert models.batches("turns") == []


@pytest.mark.parametrize("strategy", [PLAIN, Strategy("det", ["rec"], 0.8, "always", False)])
def test_a_gray_page_is_read_as_the_same_page_in_three_channels(strategy):
    page = page_with_lines(5, height=1600)
    gray, color = (read(pixels, RuleModels(90), strategy) for pixels in (page[..., :1], page))
    assert len(gray.lines) >= 5
    assert [line.text for line in gray.lines] == [line.text for line in color.lines]
    np.testing.assert_allclose(
        [line.polygon for line in gray.lines], [line.polygon for line in color.lines], atol=1
    )


@pytest.mark.parametrize(("letters_per_step", "reads"), [(0.5, 1), (1.0, 2)])
def test_only_a_dense_line_is_read_again_unsqueezed(letters_per_step, reads):
    models = RuleModels(letters_per_step=letters_per_step)
    squeezed = Strategy("det", ["rec"], 0.5, "never", False)
    (line,) = read(page_with_lines(1), models, squeezed).lines
    widths = [shape[2] for shape in models.batches("rec")]
    assert len(widths) == reads
    assert (max(widths) > widths[0]) == (reads == 2)
    assert line.text


def test_dense_line_is_not_read_again_where_nothing_was_squeezed():
    models = RuleModels(letters_per_step=1.0)
    read(page_with_lines(3), models)
    assert sum(shape[0] for shape in models.batches("rec")) == 3


def test_dense_line_wider_than_the_widest_bucket_is_split_and_not_squeezed():
    page = np.full((100, 730, 3), 255, np.uint8)
    page[40:60, 10:720] = 0
    models = RuleModels(letters_per_step=1.0)
    read(page, models)
    first, *again = [shape[2] for shape in models.batches("rec")]
    assert first == 640
    assert len(again) > 1

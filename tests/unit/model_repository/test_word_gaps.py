import numpy as np
import pytest
from ctc_decode import DecodedLine
from word_gaps import blank_strips, find_word_gaps, missing_spaces, spaced_text, strips_between

HEIGHT, STEP = 48, 8


def draw(strokes, width, ink=0, paper=255):
    """A crop with upright strokes: (first column, width)."""
    crop = np.full((HEIGHT, width, 3), paper, np.uint8)
    for left, thickness in strokes:
        crop[18:36, left : left + thickness] = ink
    return crop


def line(text, centers):
    steps = np.array([center // STEP for center in centers])
    return DecodedLine(list(text), steps, steps, np.ones(len(text), np.float32))


def spaced(text, crop, centers, squeeze=1.0):
    read = line(text, centers)
    gaps = find_word_gaps(strips_between(crop, read, STEP), read, HEIGHT * squeeze)
    return spaced_text(read.characters, missing_spaces(read.characters, gaps))


def read(text, lefts, ink=0, paper=255, squeeze=1.0):
    crop = draw([(left, 12) for left in lefts], lefts[-1] + 20, ink, paper)
    return spaced(text, crop, [left + 6 for left in lefts], squeeze)


LETTERS = [0, 16, 32, 48]  # strokes of 12 with 4 between


def test_strips_without_ink_are_found():
    starts, ends = blank_strips(draw([(10, 12), (60, 12)], 80))
    assert list(zip(starts, ends, strict=True)) == [(0, 10), (22, 60), (72, 80)]


def test_a_wide_gap_becomes_a_space():
    assert read("Qty2", [0, 16, 32, 64]) == "Qty 2"


def test_letters_of_a_word_stay_together():
    assert read("word", LETTERS) == "word"


def test_white_on_black_is_read_the_same():
    assert read("Qty2", [0, 16, 32, 64], ink=255, paper=0) == "Qty 2"


def test_letters_spaced_out_evenly_are_one_word():
    assert read("TOTAL", [0, 40, 80, 120, 160]) == "TOTAL"


def test_a_point_inside_a_number_needs_a_wider_gap_than_a_word():
    assert read("98.0", [0, 16, 32, 64]) == "98.0"
    assert read("98.0", [0, 16, 32, 84]) == "98. 0"


def test_the_gap_of_a_squeezed_line_is_measured_in_natural_widths():
    assert read("Qty2", [0, 16, 32, 56]) == "Qty2"
    assert read("Qty2", [0, 16, 32, 56], squeeze=0.7) == "Qty 2"


def test_a_space_that_was_read_is_not_doubled():
    assert missing_spaces(["a", " ", "b"], np.array([False, True, True])) == [False] * 3


def test_chinese_stays_without_spaces():
    assert missing_spaces(["中", "文"], np.array([False, True])) == [False, False]
    assert missing_spaces(["a", "文", "b"], np.array([False, True, True])) == [False] * 3


@pytest.mark.parametrize("text", ["", "x"])
def test_lines_too_short_for_a_gap(text):
    assert spaced(text, draw([], 24), [8] * len(text)) == text

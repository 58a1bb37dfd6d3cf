import numpy as np
import pytest
from ctc_decode import DecodedLine
from word_gaps import (
    blank_strips,
    drop_needless_spaces,
    find_word_gaps,
    missing_spaces,
    spaced_text,
    strips_between,
)

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


@pytest.mark.parametrize(
    ("text", "left", "expected"),
    [
        ("98.0", 60, "98.0"),
        ("98.0", 64, "98. 0"),
        ("end;", 64, "end;"),
        ("end;", 76, "end ;"),
        ("coal", 60, "coal"),
        ("coal", 66, "coa l"),
        ("ab:c", 60, "ab: c"),
        ("my_x", 90, "my_x"),
        ("my_x", 70, "my_x"),
    ],
)
def test_how_wide_a_space_is_depends_on_what_it_parts(text, left, expected):
    assert read(text, [0, 16, 32, left]) == expected


def test_in_type_of_one_width_the_distance_decides_and_not_the_gap():
    lefts = [30 * i for i in range(8)]
    crop = draw(
        [(left + 14, 2) if i in (4, 5) else (left, 28) for i, left in enumerate(lefts)], 240
    )
    assert spaced("mnop:;mn", crop, [left + 15 for left in lefts]) == "mnop:;mn"
    lefts = [30 * (i + (i > 4)) for i in range(8)]
    crop = draw(
        [(left + 14, 2) if i in (4, 5) else (left, 28) for i, left in enumerate(lefts)], 270
    )
    assert spaced("mnop:;mn", crop, [left + 15 for left in lefts]) == "mnop: ;mn"


def test_operators_have_a_gap_on_either_side():
    assert read("5÷2=3", [0, 30, 60, 90, 120]) == "5 ÷ 2 = 3"


def dropped(text, centers, strokes):
    crop = draw(strokes, strokes[-1][0] + 20)
    read = line(text, centers)
    strips, kept = drop_needless_spaces(strips_between(crop, read, STEP), read, HEIGHT)
    assert len(strips.starts) == len(kept.characters) + 1
    return kept.text


def test_a_space_inside_a_name_is_dropped_where_the_picture_shows_none():
    strokes = [(0, 12), (16, 12), (36, 12)]
    assert dropped("e. d", [6, 22, 30, 42], strokes) == "e.d"
    assert dropped("e. D", [6, 22, 30, 42], strokes) == "e. D"


def test_a_space_that_is_seen_stays():
    assert dropped("e. d", [6, 22, 40, 66], [(0, 12), (16, 12), (60, 12)]) == "e. d"


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

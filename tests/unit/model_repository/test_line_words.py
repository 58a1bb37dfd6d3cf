import numpy as np
import pytest
from ctc_decode import DecodedLine
from line_words import Piece, join_pieces, word_spans
from word_gaps import Strips, missing_spaces, strips_between

STEP = 8


def piece(text, lefts, width, spaced=False, place=(0.0, 1.0), gaps=()):
    """A crop of strokes, 12 wide, one for each character that is no space."""
    crop = np.full((48, width, 3), 255, np.uint8)
    for left, character in zip(lefts, text, strict=True):
        if character != " ":
            crop[18:36, left : left + 12] = 0
    steps = np.array([(left + 6) // STEP for left in lefts])
    sure = np.array([1 - i / 10 for i in range(len(text))], np.float32)
    line = DecodedLine(list(text), steps, steps, sure)
    missing = np.array([i in gaps for i in range(len(text))])
    spaces = missing_spaces(line.characters, missing)
    return Piece(line, spaces, strips_between(crop, line, STEP), spaced, *place)


def check(pieces, expected):
    """Rows are [start, end, …] and as many as the text has words."""
    spans = word_spans(pieces)
    assert len(spans) == len(join_pieces(pieces)[0].split())
    np.testing.assert_allclose(spans[:, :2], expected, atol=1e-6)
    return spans


def test_a_word_ends_where_its_ink_does():
    spans = check([piece("abcd", [10, 26, 60, 76], 100, gaps={2})], [[0.1, 0.38], [0.6, 0.88]])
    np.testing.assert_allclose(spans[:, 2], [0.95, 0.75])


@pytest.mark.parametrize("space_at", [34, 44, 52])
def test_a_space_that_was_read_may_lie_anywhere_in_the_gap(space_at):
    check([piece("ab cd", [10, 26, space_at, 68, 84], 100)], [[0.1, 0.38], [0.68, 0.96]])


def test_letters_that_touch_are_parted_half_way():
    check([piece("ab", [10, 22], 40, gaps={1})], [[0.25, 0.6], [0.6, 0.85]])


def test_text_without_spaces_is_one_word():
    check([piece("中文字", [10, 40, 70], 100, gaps={1, 2})], [[0.1, 0.82]])


def test_a_line_without_margins_is_taken_whole():
    check([piece("ab", [0, 28], 40)], [[0, 1]])


def test_a_letter_found_behind_its_ink_belongs_to_its_word():
    crop = np.full((48, 100, 3), 255, np.uint8)
    crop[18:36, 4:8] = crop[18:36, 14:50] = 0
    line = DecodedLine(list("lo"), np.array([2, 4]), np.array([2, 4]), np.ones(2, np.float32))
    check([Piece(line, [False, False], strips_between(crop, line, STEP))], [[0.04, 0.5]])


HALVES = (0.0, 0.5), (0.5, 1.0)


def test_a_word_goes_on_over_the_edge_of_a_piece():
    left = piece("ab", [10, 88], 100, place=HALVES[0], gaps={1})
    right = piece("cd", [0, 50], 100, place=HALVES[1], gaps={1})
    check([left, right], [[0.05, 0.11], [0.44, 0.56], [0.75, 0.81]])


def test_a_blank_between_pieces_ends_a_word():
    left = piece("a", [50], 100, place=HALVES[0])
    right = piece("b", [50], 100, spaced=True, place=HALVES[1])
    check([left, right], [[0.25, 0.31], [0.75, 0.81]])


def test_a_piece_without_text_is_no_word():
    empty = piece("", [], 100, spaced=True)
    check([empty], np.zeros((0, 2)))
    check([piece("a", [50], 100, place=HALVES[0]), empty], [[0.25, 0.31]])


def test_strips_lie_between_the_characters():
    strips = piece("ab", [10, 60], 100).strips
    assert isinstance(strips, Strips)
    assert strips.starts.tolist() == [0, 22, 72]
    assert strips.ends.tolist() == [10, 60, 100]

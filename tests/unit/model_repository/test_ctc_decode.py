import numpy as np
from ctc_decode import decode_line


def decode(text, probabilities):
    codepoints = np.array([0 if c == "_" else ord(c) for c in text], np.int32)
    return decode_line(codepoints, np.array(probabilities, np.float32))


def test_repeats_collapse_and_blanks_part_equal_letters():
    line = decode("_aab_b_", [1, 0.5, 0.9, 1, 1, 0.9, 1])
    assert line.text == "abb"
    assert abs(line.confidence - (0.5 + 1 + 0.9) / 3) < 1e-6


def test_each_character_says_from_which_to_which_time_step_it_stands():
    line = decode("_aab_b_", [1] * 7)
    assert line.starts.tolist() == [1, 3, 5]
    assert line.ends.tolist() == [2, 3, 5]


def test_all_blank_is_an_empty_line_without_confidence():
    line = decode("____", [1, 1, 1, 1])
    assert (line.text, line.confidence) == ("", 0.0)


def test_codepoints_beyond_the_basic_plane():
    assert decode("𠮷", [1]).text == "𠮷"

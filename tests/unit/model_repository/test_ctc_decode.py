import numpy as np
from ctc_decode import decode_line


def decode(text, probabilities):
    codepoints = np.array([0 if c == "_" else ord(c) for c in text], np.int32)
    return decode_line(codepoints, np.array(probabilities, np.float32))


def test_repeats_collapse_and_blanks_part_equal_letters():
    text, confidence = decode("_aab_b_", [1, 0.5, 0.9, 1, 1, 0.9, 1])
    assert text == "abb"
    assert abs(confidence - (0.5 + 1 + 0.9) / 3) < 1e-6


def test_all_blank_is_an_empty_line_without_confidence():
    assert decode("____", [1, 1, 1, 1]) == ("", 0.0)


def test_codepoints_beyond_the_basic_plane():
    assert decode("𠮷", [1])[0] == "𠮷"

import cv2
import numpy as np
import pytest
from small_print import glyph_height, legible_scale


def printed(letter_height, rows=40, size=2000):
    page = np.full((size, size, 1), 255, np.uint8)
    scale = letter_height / 21
    for row in range(rows):
        cv2.putText(page, "m n o s e v " * 30, (10, 40 + row * size // 44), 0, scale, (0,), 1)
    return page


@pytest.mark.parametrize("height", [8, 12, 20])
def test_height_of_letters(height):
    assert glyph_height(printed(height)) == pytest.approx(height * 0.68, abs=2.5)


def test_blank_page_has_no_letters():
    assert glyph_height(np.full((500, 500, 3), 255, np.uint8)) == 0


def test_small_print_is_looked_at_more_closely():
    assert legible_scale(printed(8), 0.3) > 0.6


def test_ordinary_print_keeps_its_scale():
    assert legible_scale(printed(21), 0.3) == 0.3


def test_page_without_more_resolution_keeps_its_scale():
    assert legible_scale(printed(8), 0.6) == 0.6

import cv2
import numpy as np
import pytest

from preprocess_service.pages.skew import measure_skew, turn_level
from tests.drawing import draw_page, sentence


@pytest.fixture(scope="module")
def page():
    return draw_page([sentence(i, 7 + i % 3) for i in range(24)])


def _turned(page, degrees):
    """The page with its lines falling to the right by so much, white around it."""
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    return cv2.warpAffine(page, turn, (width, height), borderValue=(255, 255, 255))


@pytest.mark.parametrize("degrees", [-13.3, -7.5, -2.1, -0.3, 0, 0.45, 1.2, 5.0, 9.7, 14.2])
def test_skew_is_measured_to_a_tenth_of_a_degree(page, degrees):
    assert measure_skew(_turned(page, degrees)) == pytest.approx(degrees, abs=0.11)


def test_few_lines_are_enough():
    few = draw_page([sentence(i) for i in range(3)])
    assert measure_skew(_turned(few, 3)) == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_page_that_lies_sideways_keeps_its_skew(page, turns):
    sideways = np.ascontiguousarray(np.rot90(_turned(page, 4), turns))
    assert measure_skew(sideways) == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("scale", [0.6, 2.5])
def test_resolution_does_not_matter(page, scale):
    scaled = cv2.resize(_turned(page, 4), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert measure_skew(scaled) == pytest.approx(4, abs=0.15)


def test_light_text_on_dark_counts(page):
    assert measure_skew(255 - _turned(page, 4)) == pytest.approx(4, abs=0.15)


def test_noise_and_pale_ink_do_not_hide_it(page):
    noise = np.random.default_rng(1).normal(0, 8, page.shape)
    pale = np.clip(_turned(page, 4) * 0.4 + 100 + noise, 0, 255).astype(np.uint8)
    assert measure_skew(pale) == pytest.approx(4, abs=0.2)


def test_pictures_without_lines_have_none():
    generator = np.random.default_rng(1)
    noise = generator.normal(0, 1, (1200, 900, 1)).astype(np.float32)
    clouds = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 12), None, 0, 255, cv2.NORM_MINMAX)
    assert measure_skew(clouds.astype(np.uint8)[:, :, None]) is None
    assert measure_skew((noise * 40 + 128).clip(0, 255).astype(np.uint8)) is None


def test_deskewed_page_is_straight_whole_and_mapped_back(page):
    skewed = _turned(page, 6)
    straight, back = turn_level(skewed, 6.0)
    assert abs(measure_skew(straight)) <= 0.1
    (height, width), (old_height, old_width) = straight.shape[:2], skewed.shape[:2]
    assert height > old_height
    corners = np.array([[0, 0, 1], [width, height, 1]]) @ np.reshape(back, (2, 3)).T
    assert corners.mean(axis=0) == pytest.approx([old_width / 2, old_height / 2], abs=1)
    # Dark pixels land on dark pixels.
    rows, columns = np.nonzero(straight[:, :, 0] < 30)
    found = np.stack([columns, rows, np.ones_like(rows)], axis=1) @ np.reshape(back, (2, 3)).T
    x, y = np.rint(found).astype(int).T
    assert np.mean(skewed[y, x, 0] < 128) > 0.98


def test_gray_page_stays_gray(page):
    straight, _ = turn_level(np.ascontiguousarray(page[:, :, :1]), 3.0)
    assert (straight.ndim, straight.shape[2]) == (3, 1)

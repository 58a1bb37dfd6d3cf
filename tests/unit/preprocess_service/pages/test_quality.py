import cv2
import numpy as np
import pytest

from preprocess_service.pages.quality import measure_levels, measure_quality
from tests.drawing import draw_page, sentence


def _noisy(pixels, sigma):
    noise = np.random.default_rng(1).normal(0, sigma, pixels.shape[:2])[:, :, None]
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def _pale(pixels, contrast, paper=200):
    return (paper - (255.0 - pixels) * contrast).astype(np.uint8)


@pytest.fixture(scope="module")
def page():
    return draw_page([sentence(i, 9) for i in range(28)])


def test_drawn_page_is_sharp_clean_black_on_white_and_straight(page):
    quality = measure_quality(page)
    assert quality.blur < 0.6
    assert quality.noise == 0
    assert quality.contrast > 0.95
    assert abs(quality.skew) <= 0.05


def test_gray_page_measures_like_the_same_in_color(page):
    gray = np.ascontiguousarray(page[:, :, :1])
    assert measure_quality(gray) == measure_quality(page)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0])
def test_blur_grows_with_the_blur_whatever_the_contrast(page, sigma):
    blurred = cv2.GaussianBlur(page, (0, 0), sigma)
    sharper = cv2.GaussianBlur(page, (0, 0), sigma - 0.4)
    measured = measure_quality(blurred).blur
    assert measured > measure_quality(sharper).blur
    assert measure_quality(_pale(blurred, 0.4)).blur == pytest.approx(measured, abs=0.1)


def test_blur_of_an_edge_is_the_sigma_it_was_blurred_with():
    edge = np.zeros((400, 400, 1), np.uint8)
    edge[:, 200:] = 200
    blurred = cv2.GaussianBlur(edge, (0, 0), 3)[:, :, None]
    assert measure_quality(blurred).blur == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("sigma", [3, 8, 15])
def test_noise_is_the_grain_of_the_paper(page, sigma):
    measured = measure_quality(_noisy(_pale(page, 0.5), sigma)).noise
    assert measured == pytest.approx(sigma, rel=0.15)


def test_specks_are_no_grain(page):
    specked = page.copy()
    specked[np.random.default_rng(1).random(page.shape[:2]) < 0.02] = 0
    assert measure_quality(specked).noise < 1


@pytest.mark.parametrize("contrast", [0.1, 0.3, 0.6])
def test_contrast_is_what_lies_between_ink_and_paper(page, contrast):
    assert measure_quality(_pale(page, contrast)).contrast == pytest.approx(contrast, rel=0.1)
    assert measure_quality(_noisy(_pale(page, contrast), 4)).contrast == pytest.approx(
        contrast, abs=0.05
    )


def test_a_single_line_and_a_shadow_do_not_hide_the_contrast():
    page = draw_page(["one line of text"])
    assert measure_quality(page).contrast > 0.7
    shadow = page * np.linspace(1, 0.4, page.shape[1])[None, :, None]
    assert measure_quality(shadow.astype(np.uint8)).contrast > 0.4


def test_ink_and_paper_are_told(page):
    ink, paper = measure_levels(_pale(page, 0.4))
    assert (ink, paper) == (pytest.approx(98, abs=3), pytest.approx(200, abs=3))


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (31, 33), (700, 500)])
def test_blank_page_of_any_size_has_only_noise(size):
    for channels in (1, 3):
        blank = np.full((*size, channels), 255, np.uint8)
        quality = measure_quality(blank)
        assert (quality.blur, quality.noise, quality.contrast, quality.skew) == (
            None,
            0,
            None,
            None,
        )
    assert measure_levels(blank) is None


def test_large_page_measures_like_its_part(page):
    large = np.tile(page, (4, 3, 1))
    part, whole = measure_quality(page), measure_quality(large)
    assert whole.blur == pytest.approx(part.blur, abs=0.05)
    assert whole.contrast == pytest.approx(part.contrast, abs=0.05)

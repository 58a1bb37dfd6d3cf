import cv2
import numpy as np
import pytest

from preprocess_service.pages import enhance
from preprocess_service.pages.enhance import RECIPES, enhance_page
from preprocess_service.pages.enhancement_steps import (
    even_illumination,
    sharpen,
    smooth,
    stretch_contrast,
)
from preprocess_service.pages.quality import measure_levels, measure_quality
from preprocess_service.pages.source import RasterPage
from tests.drawing import draw_page, sentence


def _grain(pixels, sigma):
    noise = np.random.default_rng(1).normal(0, sigma, pixels.shape[:2])[:, :, None]
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def _pale(pixels, contrast=0.12, paper=180):
    return (paper - (255.0 - pixels) * contrast).astype(np.uint8)


def _blur(pixels, sigma):
    return cv2.GaussianBlur(pixels, (0, 0), sigma).reshape(pixels.shape)


def _skew(pixels, degrees=3):
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    turned = cv2.warpAffine(pixels, turn, (width, height), borderValue=(255, 255, 255))
    return turned.reshape(pixels.shape)


@pytest.fixture(scope="module", params=[1, 3], ids=["gray", "color"])
def page(request):
    lines = [sentence(i, 9) for i in range(28)]
    return np.ascontiguousarray(draw_page(lines)[:, :, : request.param])


def _enhance(pixels, level, **more):
    return enhance_page(RasterPage(pixels, 120), level, **more)


@pytest.mark.parametrize(
    ("worsen", "applied"),
    [
        (lambda page: page, ()),
        (lambda page: _pale(page, 0.5), ()),
        (_pale, ("contrast",)),
        (lambda page: _grain(page, 5), ()),
        (lambda page: _grain(page, 20), ("denoise",)),
        (lambda page: _grain(_pale(page), 4), ("contrast", "denoise")),
        (lambda page: _blur(page, 1.0), ()),
        (lambda page: _blur(page, 2.2), ("sharpen",)),
        (_skew, ()),
    ],
)
def test_auto_does_what_the_measures_ask_for_and_nothing_else(page, worsen, applied):
    pixels = worsen(page)
    result = _enhance(pixels, "auto")
    assert result.enhancement.applied == applied
    assert (result.pixels.shape, result.pixels.dtype) == (pixels.shape, np.uint8)
    assert result.enhancement.quality == measure_quality(pixels)
    assert result.frame is None
    assert result.enhancement.milliseconds > 0
    assert applied or result.pixels is pixels


def test_auto_with_deskew_straightens_and_keeps_the_page_s_size(page):
    skewed = _skew(page)
    result = _enhance(skewed, "auto", deskew=True)
    assert result.enhancement.applied == ("deskew",)
    assert (result.size.height, result.size.width) == skewed.shape[:2]
    assert result.pixels.shape[0] > skewed.shape[0]
    assert result.pixels.shape[2] == skewed.shape[2]
    assert abs(measure_quality(result.pixels).skew) <= 0.1
    assert _enhance(page, "auto", deskew=True).enhancement.applied == ()


@pytest.mark.parametrize(
    ("level", "applied"),
    [
        ("light", ("contrast",)),
        ("moderate", ("contrast", "denoise", "deskew")),
        ("aggressive", ("illumination", "contrast", "denoise", "sharpen", "deskew")),
    ],
)
def test_other_levels_do_what_they_name(page, level, applied):
    assert _enhance(_skew(page), level).enhancement.applied == applied


@pytest.mark.parametrize("level", RECIPES)
@pytest.mark.parametrize("size", [(1, 1), (5, 400), (400, 5), (600, 400)])
def test_blank_pages_stay_as_they_are(level, size):
    blank = np.full((*size, 3), 250, np.uint8)
    result = _enhance(blank, level)
    assert (result.pixels is blank, result.enhancement.applied) == (True, ())


@pytest.mark.parametrize("level", ["light", "moderate", "aggressive"])
@pytest.mark.parametrize("size", [(1, 2), (9, 200), (200, 9), (40, 40)])
def test_tiny_pages_pass_through_every_level(level, size):
    halves = np.zeros((*size, 1), np.uint8)
    halves[:, size[1] // 2 :] = 255
    assert _enhance(halves, level).pixels.shape == halves.shape


def test_pages_beyond_the_limit_are_measured_only(page, monkeypatch):
    monkeypatch.setattr(enhance, "MAX_PIXELS", page.shape[0] * page.shape[1] - 1)
    pale = _pale(page)
    result = _enhance(pale, "aggressive")
    assert (result.pixels is pale, result.enhancement.applied) == (True, ())
    assert result.enhancement.quality.contrast < 0.2


def test_stretching_whitens_the_paper_and_darkens_the_ink(page):
    ink, paper = measure_levels(stretch_contrast(_pale(page)))
    assert paper == 255
    assert 100 < ink < 140


def test_stretching_leaves_good_contrast_alone(page):
    assert np.array_equal(stretch_contrast(page), page)


def test_smoothing_takes_grain_and_sharpening_blur(page):
    assert measure_quality(smooth(_grain(page, 20))).noise < 8
    blurred = _blur(page, 2)
    assert measure_quality(sharpen(blurred)).blur < 0.8 * measure_quality(blurred).blur


def test_shadows_are_taken_off(page):
    shadow = (page * np.linspace(1, 0.4, page.shape[1])[None, :, None]).astype(np.uint8)
    paper = even_illumination(shadow).reshape(page.shape)[page.min(axis=2) == 255]
    assert np.quantile(paper, 0.02) > 235

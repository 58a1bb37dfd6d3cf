import canvas
import numpy as np
import pytest

CANVASES = [(736, 736), (1408, 1056), (1408, 1408)]


def test_ordinary_page_is_bound_by_its_long_side():
    assert canvas.detection_scale((2816, 2000), 1408, 736) == 0.5


def test_long_receipt_keeps_its_short_side():
    assert canvas.detection_scale((10_000, 736), 1408, 736) == 1.0


def test_small_page_is_never_enlarged():
    assert canvas.detection_scale((1, 1), 1408, 736) == 1.0


@pytest.mark.parametrize("size", [(1, 1), (736, 736), (1403, 992), (10_000, 700), (700, 16_000)])
def test_windows_cover_every_pixel(size):
    seen = np.zeros(size, bool)
    for window in canvas.plan_windows(*size, CANVASES):
        assert window.height <= window.canvas[0]
        assert window.width <= window.canvas[1]
        seen[window.top : window.top + window.height, window.left : window.left + window.width] = 1
    assert seen.all()


def test_page_takes_the_smallest_canvas_that_holds_it():
    (window,) = canvas.plan_windows(1403, 992, CANVASES)
    assert window.canvas == (1408, 1056)


def test_stitched_windows_give_back_the_page():
    page = np.random.default_rng(0).integers(0, 255, (3000, 700, 3), np.uint8)
    windows = canvas.plan_windows(3000, 700, CANVASES)
    assert len(windows) > 1
    maps = [canvas.fill_canvas(page, window)[..., 0] for window in windows]
    assert (canvas.stitch((3000, 700), windows, maps) == page[..., 0]).all()


def test_the_rest_of_a_canvas_is_white():
    page = np.zeros((10, 20, 3), np.uint8)
    (window,) = canvas.plan_windows(10, 20, CANVASES)
    filled = canvas.fill_canvas(page, window)
    assert filled[:10, :20].max() == 0
    assert filled[10:].min() == filled[:, 20:].min() == 255

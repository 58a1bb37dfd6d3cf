import numpy as np
import pytest

from preprocess_service.document import Line, Word
from preprocess_service.inference.engine import PageReading
from preprocess_service.options import OcrOptions
from preprocess_service.pages.enhance import enhance_page
from preprocess_service.pages.frames import reading_to_page, turning
from preprocess_service.pages.source import PageFrame, PageSize, RasterPage
from preprocess_service.reading.assembly import assemble_page

SIZE = PageSize(300, 200)


def _box(x0, y0, x1, y1):
    return {"polygon": ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), "bbox": (x0, y0, x1, y1)}


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_turning_moves_pixels_as_numpy_turns_them(degrees):
    page = np.zeros((SIZE.height, SIZE.width), np.uint8)
    page[20:30, 40:60] = 1
    rows, columns = np.nonzero(np.rot90(page, -degrees // 90))
    corners = turning(SIZE, degrees) @ np.array([[40, 60], [20, 30], [1, 1]])
    assert sorted(corners[0]) == [columns.min(), columns.max() + 1]
    assert sorted(corners[1]) == [rows.min(), rows.max() + 1]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_what_was_not_moved_stays(rotation):
    frame = PageFrame(SIZE, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    assert np.allclose(reading_to_page(frame, SIZE, rotation), np.eye(3))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_lines_of_a_deskewed_page_lie_on_the_page_as_it_was(rotation):
    """A bar is drawn askew; found level on the enhanced page, it is told where it was drawn."""
    pixels = np.full((600, 900, 1), 255, np.uint8)
    slope = np.tan(np.radians(4))
    for top in range(60, 500, 40):
        for x in range(100, 800):
            y = round(top + (x - 100) * slope)
            # Letters: bars with gaps.
            pixels[y : y + 12, x] = 0 if x % 10 < 6 else 255
    enhanced = enhance_page(RasterPage(pixels, 120), "auto", deskew=True)
    assert enhanced.enhancement.applied == ("deskew",)
    upright = np.rot90(enhanced.pixels[:, :, 0], -rotation // 90)
    rows, columns = np.nonzero(upright < 100)
    box = _box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    line = Line(text="a b", confidence=0.9, words=(Word(text="a", confidence=0.9, **box),), **box)
    page = assemble_page(0, enhanced, PageReading((line,), rotation, release=1), OcrOptions())
    expected_size = (600, 900) if rotation in (90, 270) else (900, 600)
    assert (page.width, page.height) == expected_size
    # The block of all lines is a parallelogram whose corners are known.
    drawn = np.array([[100, 60, 1], [800, 60 + 700 * slope, 1]]).T
    start, end = (turning(PageSize(900, 600), rotation) @ drawn)[:2].T
    outline = np.array(page.lines[0].polygon)
    for corner in (start, end):
        assert np.hypot(*(outline - corner).T).min() < 40  # the block's ends are slanted
    (x0, y0), (x1, y1) = page.lines[0].polygon[:2]
    tilt = np.degrees(np.arctan2(y1 - y0, x1 - x0))
    assert tilt == pytest.approx(4, abs=0.15)
    assert page.lines[0].words[0].polygon == page.lines[0].polygon
    assert page.lines[0].bbox[0] == min(x for x, _ in page.lines[0].polygon)
    assert (page.skew_degrees, page.quality.skew) == (pytest.approx(4, abs=0.15),) * 2
    assert page.enhanced == ("deskew",)

"""The option `enhance`, from the upload to the answer, through a real rasterizing process."""

import cv2
import numpy as np
import pytest

from preprocess_service.document import Line
from preprocess_service.inference.engine import PageReading
from tests.drawing import draw_page, sentence, to_png

URL = "/api/v1/ocr/process"


@pytest.fixture(scope="module")
def poor_page() -> bytes:
    """Pale, and its lines fall to the right by 4 degrees."""
    page = draw_page([sentence(i, 8) for i in range(28)])
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -4, 1.0)
    skewed = cv2.warpAffine(page, turn, (width, height), borderValue=(255, 255, 255))
    return to_png((100 + skewed * 0.12).astype(np.uint8))


async def _read(client, page: bytes, **options: str):
    response = await client.post(URL, files={"file": ("page.png", page)}, data=options)
    assert response.status_code == 200, response.text
    return response.json()


async def test_balanced_enhances_what_the_measures_ask_for(client, engine, poor_page):
    document = await _read(client, poor_page)
    page = document["pages"][0]
    assert page["enhanced"] == ["contrast"]
    assert page["quality"]["contrast"] == pytest.approx(0.12, abs=0.02)
    assert page["quality"]["noise"] < 1
    assert page["quality"]["skew"] == page["skew_degrees"] == pytest.approx(4, abs=0.15)
    assert document["processing_ms"]["enhance"] > 0
    assert engine.pages[0].max() == 255


@pytest.mark.parametrize("options", [{"strategy": "speed"}, {"enhance": "none"}])
async def test_without_enhancement_nothing_is_measured_or_changed(
    client, engine, poor_page, options
):
    document = await _read(client, poor_page, **options)
    page = document["pages"][0]
    assert (page["quality"], page["skew_degrees"], page["enhanced"]) == (None, None, [])
    assert document["processing_ms"]["enhance"] == 0
    assert engine.pages[0].max() == 130


@pytest.mark.parametrize(
    ("options", "enhanced"),
    [
        ({"strategy": "accuracy"}, ["contrast", "deskew"]),
        ({"strategy": "accuracy", "enhance": "auto"}, ["contrast", "deskew"]),
        ({"strategy": "speed", "enhance": "auto"}, ["contrast"]),
        ({"enhance": "light"}, ["contrast"]),
        ({"enhance": "moderate"}, ["contrast", "denoise", "deskew"]),
    ],
)
async def test_strategy_and_level_say_how_far_it_goes(client, poor_page, options, enhanced):
    assert (await _read(client, poor_page, **options))["pages"][0]["enhanced"] == enhanced


async def test_lines_of_a_deskewed_page_are_told_as_they_lie_on_it(client, engine, poor_page):
    straight = Line(
        text="level",
        confidence=0.9,
        polygon=((400, 600), (700, 600), (700, 620), (400, 620)),
        bbox=(400, 600, 700, 620),
    )
    engine.default = PageReading((straight,), rotation=0, release=1)
    page = (await _read(client, poor_page, strategy="accuracy"))["pages"][0]
    height, width = draw_page([]).shape[:2]
    assert (page["width"], page["height"]) == (width, height)
    (x0, y0), (x1, y1) = page["lines"][0]["polygon"][:2]
    assert np.degrees(np.arctan2(y1 - y0, x1 - x0)) == pytest.approx(4, abs=0.15)
    assert np.hypot(x1 - x0, y1 - y0) == pytest.approx(300, abs=0.5)

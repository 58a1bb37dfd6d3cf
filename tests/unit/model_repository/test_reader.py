"""The reader with models that answer by rule: dark pixels are text, a crop's width is its text."""

import asyncio

import numpy as np
import pytest
from page_settings import (
    DetectionSettings,
    OrientationSettings,
    PageSettings,
    RecognitionSettings,
    Strategy,
)
from reader import PageReader
from text_boxes import BoxThresholds

SETTINGS = PageSettings(
    release=1,
    strategies={},
    writes={},
    default_recognizers={},
    detection=DetectionSettings(
        canvases=[(256, 256), (736, 736)],
        limit_long_side=736,
        limit_short_side=400,
        thresholds=BoxThresholds(0.2, 0.5, 1.0, 1000, 3),
    ),
    recognition=RecognitionSettings(
        height=48,
        widths=[96, 320, 640],
        pixels_per_step=8,
        densest=0.55,
        padding=127,
        max_batch_size=4,
    ),
    textline_orientation=OrientationSettings(48, 192, 4),
    page_orientation=OrientationSettings(224, 224, 1),
)
PLAIN = Strategy("det", ["rec"], 1.0, "never", False)


class RuleModels:
    """Detection marks what is dark; recognition writes one letter, sure or unsure, per crop."""

    def __init__(self, turned_by=0, confidence=0.95, letters_per_step=0.0):
        self.calls = []
        self.letters_per_step = letters_per_step
        self.turned_by = turned_by
        self.confidence = confidence

    async def __call__(self, model, input_name, batch):
        self.calls.append((model, batch.shape))
        await asyncio.sleep(0)
        if model == "det":
            return {"PROBABILITY_MAP": np.where(batch[..., 0] < 128, 255, 0).astype(np.uint8)}
        if model == "page_orientation":
            return {"PROBABILITY": np.eye(4, dtype=np.float32)[[self.turned_by // 90]]}
        steps = batch.shape[2] // 8
        codepoints = np.zeros((len(batch), steps), np.int32)
        codepoints[:, 0] = ord("x")
        if self.letters_per_step:
            every = codepoints[:, :: round(1 / self.letters_per_step)]
            every[:] = ord("a") + np.arange(every.shape[1]) % 2
        sure = np.full((len(batch), steps), self.confidence, np.float32)
        return {"CODEPOINT": codepoints, "PROBABILITY": sure}

    def batches(self, model):
        return [shape for name, shape in self.calls if name == model]


def page_with_lines(count, height=700, width=400):
    page = np.full((height, width, 3), 255, np.uint8)
    for i in range(count):
        page[20 + 30 * i : 34 + 30 * i, 40:300] = 0
    return page


def read(page, models, strategy=PLAIN):
    return asyncio.run(PageReader(SETTINGS, models).read(page, strategy, "rec"))


def test_blank_page_has_no_lines_and_calls_no_recognizer():
    models = RuleModels()
    assert read(np.full((300, 300, 3), 255, np.uint8), models).lines == []
    assert models.batches("rec") == []


def test_page_with_more_lines_than_one_batch():
    models = RuleModels()
    reading = read(page_with_lines(22), models)
    assert [line.text for line in reading.lines] == ["x"] * 22
    assert max(shape[0] for shape in models.batches("rec")) <= 4
    tops = [line.polygon[0, 1] for line in reading.lines]
    assert tops == sorted(tops)


def test_polygons_are_in_page_pixels_whatever_detection_shrank():
    page = np.full((1472, 800, 3), 255, np.uint8)
    page[400:440, 100:700] = 0
    (line,) = read(page, RuleModels()).lines
    np.testing.assert_allclose(line.polygon.mean(axis=0), [400, 420], atol=3)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (3, 3)])
def test_smallest_images_are_answered(size):
    assert read(np.full((*size, 3), 255, np.uint8), RuleModels()).lines == []


def test_long_image_is_read_in_windows_and_no_line_twice():
    page = np.full((10_000, 400, 3), 255, np.uint8)
    for top in range(50, 9_900, 100):
        page[top : top + 14, 40:300] = 0
    reading = read(page, RuleModels())
    assert len(reading.lines) == len(range(50, 9_900, 100))


def test_line_wider_than_the_widest_bucket_is_one_line_of_joined_pieces():
    page = np.full((100, 730, 3), 255, np.uint8)
    page[40:52, 10:720] = 0
    (line,) = read(page, RuleModels()).lines
    assert set(line.text) <= {"x", " "}
    assert len(line.text.replace(" ", "")) > 1


def test_turned_page_is_read_upright_and_says_so():
    models = RuleModels(turned_by=90)
    reading = read(page_with_lines(5), models, Strategy("det", ["rec"], 1.0, "always", False))
    assert reading.rotation == 270


def test_page_that_reads_well_is_not_checked_for_orientation():
    models = RuleModels(turned_by=90)
    strategy = Strategy("det", ["rec"], 1.0, "when_unreadable", False)
    assert read(page_with_lines(5), models, strategy).rotation == 0
    assert models.batches("page_orientation") == []


def test_page_that_reads_badly_is_checked():
    models = RuleModels(confidence=0.3)
    read(page_with_lines(5), models, Strategy("det", ["rec"], 1.0, "when_unreadable", False))
    assert len(models.batches("page_orientation")) == 1


@pytest.mark.parametrize("strategy", [PLAIN, Strategy("det", ["rec"], 0.8, "always", False)])
def test_a_gray_page_is_read_as_the_same_page_in_three_channels(strategy):
    page = page_with_lines(5, height=1600)
    gray, color = (read(pixels, RuleModels(90), strategy) for pixels in (page[..., :1], page))
    assert len(gray.lines) >= 5
    assert [line.text for line in gray.lines] == [line.text for line in color.lines]
    np.testing.assert_allclose(
        [line.polygon for line in gray.lines], [line.polygon for line in color.lines], atol=1
    )


@pytest.mark.parametrize(("letters_per_step", "reads"), [(0.5, 1), (1.0, 2)])
def test_only_a_dense_line_is_read_again_unsqueezed(letters_per_step, reads):
    models = RuleModels(letters_per_step=letters_per_step)
    squeezed = Strategy("det", ["rec"], 0.5, "never", False)
    (line,) = read(page_with_lines(1), models, squeezed).lines
    widths = [shape[2] for shape in models.batches("rec")]
    assert len(widths) == reads
    assert (max(widths) > widths[0]) == (reads == 2)
    assert line.text


def test_dense_line_is_not_read_again_where_nothing_was_squeezed():
    models = RuleModels(letters_per_step=1.0)
    read(page_with_lines(3), models)
    assert sum(shape[0] for shape in models.batches("rec")) == 3


def test_dense_line_wider_than_the_widest_bucket_is_split_and_not_squeezed():
    page = np.full((100, 730, 3), 255, np.uint8)
    page[40:60, 10:720] = 0
    models = RuleModels(letters_per_step=1.0)
    read(page, models)
    first, *again = [shape[2] for shape in models.batches("rec")]
    assert first == 640
    assert len(again) > 1

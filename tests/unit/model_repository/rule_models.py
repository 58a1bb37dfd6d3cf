"""Models that answer by rule: dark pixels are text, a crop's width is its text."""

import asyncio

import numpy as np
from page_settings import (
    DetectionSettings,
    ModelSettings,
    OrientationSettings,
    PageSettings,
    RecognitionSettings,
    Strategy,
)
from text_boxes import BoxThresholds

SETTINGS = PageSettings(
    release=1,
    models={
        "turns": ModelSettings("page_orientation", "IMAGE", ["PROBABILITY"]),
        "heads": ModelSettings("textline_orientation", "CROP", ["PROBABILITY"]),
    },
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

    async def __call__(self, model, batch):
        self.calls.append((model, batch.shape))
        await asyncio.sleep(0)
        if model == "det":
            return {"PROBABILITY_MAP": np.where(batch[..., 0] < 128, 255, 0).astype(np.uint8)}
        if model == "turns":
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


class StartsBlack(RuleModels):
    """Recognition is sure of a crop that begins with black, and unsure of all others."""

    async def __call__(self, model, batch):
        answer = await super().__call__(model, batch)
        if model == "rec":
            is_black = batch[:, :, :32].min(axis=(1, 2, 3)) < 40
            answer["PROBABILITY"][:] = np.where(is_black, 0.95, 0.5)[:, None]
        return answer

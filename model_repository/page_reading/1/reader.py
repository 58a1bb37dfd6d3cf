"""How one page is read: orientation, detection, recognition, reading order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import canvas
import line_crops
import numpy as np
import orientation
from directions import Direction
from line_crops import FloatArray, Image
from line_reader import Infer, Line, LineReader
from page_settings import PageSettings, Strategy
from reading_order import order_lines
from small_print import legible_scale
from text_boxes import find_boxes
from vertical_writing import in_columns, may_be_vertical, sample_characters

UNREADABLE_CONFIDENCE = 0.75
"""A page that reads worse than this may lie on its side; clean pages read above 0.9."""

CLEAR_SHARE = 0.75
"""So many of its characters say which way a page lies; a chart has labels that run up and down."""

TURN_GAIN = 0.05
"""A page is turned if it then reads so much better; if its lines run so, if not so much worse."""

DOUBTFUL_LINE_CONFIDENCE = 0.85
"""Only a line that reads worse than this is checked for standing on its head."""


@dataclass(frozen=True)
class Reading:
    """Lines in reading order, in the frame of the page turned clockwise by `rotation`.

    `is_vertical`: written in columns, from right to left.
    """

    lines: list[Line]
    rotation: int = 0
    is_vertical: bool = False

    @property
    def confidence(self) -> float:
        """The mean confidence per character, 0 for a page without text."""
        characters = sum(len(line.text) for line in self.lines)
        return sum(line.confidence * len(line.text) for line in self.lines) / max(1, characters)

    @property
    def turn(self) -> int:
        """By how many degrees clockwise the page has to be turned for most of its text to lie."""
        characters = Counter[Direction]()
        for line in self.lines:
            characters[line.direction] += len(line.text)
        direction, count = characters.most_common(1)[0]
        is_clear = count >= CLEAR_SHARE * characters.total() and not self.is_vertical
        return 90 * direction if is_clear else 0


class PageReader:
    """Reads pages with the models of one release."""

    def __init__(self, settings: PageSettings, infer: Infer) -> None:
        self._settings = settings
        self._infer = infer
        self._lines = LineReader(settings.recognition, infer)

    async def read(self, pixels: Image, strategy: Strategy, recognizer: str) -> Reading:
        """Return the lines of a page, UINT8 [height, width, 3] (RGB) or 1 channel (gray)."""
        reading = await self._read_turned(pixels, 0, strategy, recognizer)
        if strategy.page_orientation == "never" or not reading.lines:
            return reading
        rotation, least = reading.turn, reading.confidence - TURN_GAIN
        if not rotation and (
            strategy.page_orientation == "always" or reading.confidence < UNREADABLE_CONFIDENCE
        ):
            rotation, least = await self._rotation(pixels), reading.confidence + TURN_GAIN
        if not rotation:
            return reading
        turned = await self._read_turned(pixels, rotation, strategy, recognizer)
        return turned if turned.confidence > least else reading

    async def _rotation(self, pixels: Image) -> int:
        shape = self._settings.page_orientation
        thumbnail = orientation.thumbnail(pixels, shape.height, shape.width)
        model = self._settings.model_of("page_orientation")
        outputs = await self._infer(model, thumbnail[None])
        turned_by = 90 * int(outputs["PROBABILITY"][0].argmax())
        return (360 - turned_by) % 360

    async def _read_turned(
        self, pixels: Image, rotation: int, strategy: Strategy, recognizer: str
    ) -> Reading:
        pixels = orientation.turn(pixels, rotation)
        polygons = await self._detect(pixels, strategy.detection)
        polygons = polygons[order_lines(polygons)]
        lines = await self._lines.read(pixels, polygons, strategy.squeeze, recognizer)
        if strategy.textline_orientation:
            lines = await self._turn_doubtful_lines(pixels, lines, strategy, recognizer)
        lines = [line for line in lines if line.text.strip()]
        is_vertical = may_be_vertical(lines) and await self._stand_upright(
            pixels, lines, strategy, recognizer
        )
        return Reading(in_columns(lines) if is_vertical else lines, rotation, is_vertical)

    async def _stand_upright(
        self, pixels: Image, lines: list[Line], strategy: Strategy, recognizer: str
    ) -> bool:
        """Tell whether the characters of lines that run down read the same by themselves."""
        samples = sample_characters(lines)
        outlines = [(outline, Direction.RIGHT) for _, outline in samples]
        alone = await self._lines.read_along(pixels, outlines, strategy.squeeze, recognizer)
        same = [c == line.text for (c, _), line in zip(samples, alone, strict=True)]
        return 2 * sum(same) >= len(same)

    async def _detect(self, pixels: Image, detector: str) -> FloatArray:
        settings = self._settings.detection
        scale = canvas.detection_scale(
            pixels.shape[:2], settings.limit_long_side, settings.limit_short_side
        )
        page = canvas.shrink(pixels, legible_scale(pixels, scale))
        height, width = page.shape[:2]
        windows = canvas.plan_windows(height, width, settings.canvases)
        # One after the other: a long page must not hold all its windows in memory at once.
        maps = [
            (await self._infer(detector, canvas.fill_canvas(page, window)[None]))[
                "PROBABILITY_MAP"
            ][0]
            for window in windows
        ]
        boxes = find_boxes(canvas.stitch((height, width), windows, maps), settings.thresholds)
        factors = np.array([pixels.shape[1] / width, pixels.shape[0] / height], np.float32)
        limits = np.array([pixels.shape[1], pixels.shape[0]], np.float32)
        return np.clip(boxes * factors, 0, limits).astype(np.float32)

    async def _turn_doubtful_lines(
        self, pixels: Image, lines: list[Line], strategy: Strategy, recognizer: str
    ) -> list[Line]:
        doubtful = [i for i, line in enumerate(lines) if line.confidence < DOUBTFUL_LINE_CONFIDENCE]
        upside_down = await self._upside_down(pixels, [lines[i].reading_polygon for i in doubtful])
        turned = [i for i, flag in zip(doubtful, upside_down, strict=True) if flag]
        if not turned:
            return lines
        outlines = [
            (lines[i].polygon, Direction((lines[i].direction + Direction.LEFT) % 4)) for i in turned
        ]
        again = await self._lines.read_along(pixels, outlines, strategy.squeeze, recognizer)
        for index, line in zip(turned, again, strict=True):
            if line.confidence > lines[index].confidence:
                lines[index] = line
        return lines

    async def _upside_down(self, pixels: Image, polygons: list[FloatArray]) -> list[bool]:
        shape = self._settings.textline_orientation
        model = self._settings.model_of("textline_orientation")
        flags: list[bool] = []
        for start in range(0, len(polygons), shape.max_batch_size):
            crops = [
                line_crops.Crop(
                    0, line_crops.crop_line(pixels, polygon, shape.height, 1.0, shape.width)
                )
                for polygon in polygons[start : start + shape.max_batch_size]
            ]
            heads = [replace(crop, pixels=crop.pixels[:, : shape.width]) for crop in crops]
            batch = line_crops.fill_bucket(heads, shape.width, 0)
            outputs = await self._infer(model, batch)
            flags += [bool(row[1] > row[0]) for row in outputs["PROBABILITY"]]
        return flags

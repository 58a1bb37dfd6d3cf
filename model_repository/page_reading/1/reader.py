"""How one page is read: orientation, detection, crops, recognition, reading order.

The models are reached through one function, so that the same code runs in Triton and in a test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import canvas
import line_crops
import numpy as np
import numpy.typing as npt
import orientation
from ctc_decode import decode_line
from page_settings import PageSettings, Strategy
from reading_order import order_lines
from text_boxes import find_boxes
from width_buckets import Chunk, group_by_width
from word_gaps import find_word_gaps, spaced_text

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]
Infer = Callable[[str, str, npt.NDArray[np.uint8]], Awaitable[dict[str, npt.NDArray[np.generic]]]]
"""Model name, input name, batch → outputs by name."""

UNREADABLE_CONFIDENCE = 0.75
"""A page that reads worse than this may lie on its side; clean pages read above 0.9."""

DOUBTFUL_LINE_CONFIDENCE = 0.85
"""Only a line that reads worse than this is checked for standing on its head."""


@dataclass(frozen=True)
class Line:
    """Text, the mean probability of its characters, polygon [4, 2] in page pixels."""

    text: str
    confidence: float
    polygon: FloatArray


@dataclass(frozen=True)
class Reading:
    """Lines in reading order, in the frame of the page turned clockwise by `rotation`."""

    lines: list[Line]
    rotation: int = 0

    @property
    def confidence(self) -> float:
        """The mean confidence per character, 0 for a page without text."""
        characters = sum(len(line.text) for line in self.lines)
        return sum(line.confidence * len(line.text) for line in self.lines) / max(1, characters)

    @property
    def looks_turned(self) -> bool:
        """Whether the page reads badly or runs from top to bottom."""
        vertical = sum(line_crops.is_vertical(line.polygon) for line in self.lines)
        return self.confidence < UNREADABLE_CONFIDENCE or 2 * vertical > len(self.lines)


class PageReader:
    """Reads pages with the models of one release."""

    def __init__(self, settings: PageSettings, infer: Infer) -> None:
        self._settings = settings
        self._infer = infer

    async def read(self, pixels: Image, strategy: Strategy, recognizer: str) -> Reading:
        """Return the lines of a page, UINT8 [height, width, 3] (RGB) or 1 channel (gray)."""
        if strategy.page_orientation == "always":
            rotation = await self._rotation(pixels)
            return await self._read_turned(pixels, rotation, strategy, recognizer)
        reading = await self._read_turned(pixels, 0, strategy, recognizer)
        if (
            strategy.page_orientation == "when_unreadable"
            and reading.lines
            and reading.looks_turned
        ):
            rotation = await self._rotation(pixels)
            if rotation:
                turned = await self._read_turned(pixels, rotation, strategy, recognizer)
                return max(turned, reading, key=lambda r: r.confidence)
        return reading

    async def _rotation(self, pixels: Image) -> int:
        shape = self._settings.page_orientation
        thumbnail = orientation.thumbnail(pixels, shape.height, shape.width)
        outputs = await self._infer("page_orientation", "IMAGE", thumbnail[None])
        turned_by = 90 * int(outputs["PROBABILITY"][0].argmax())
        return (360 - turned_by) % 360

    async def _read_turned(
        self, pixels: Image, rotation: int, strategy: Strategy, recognizer: str
    ) -> Reading:
        pixels = orientation.turn(pixels, rotation)
        polygons = await self._detect(pixels, strategy.detection)
        polygons = polygons[order_lines(polygons)]
        lines = await self._recognize(pixels, polygons, strategy, recognizer)
        if strategy.textline_orientation:
            lines = await self._turn_doubtful_lines(pixels, lines, strategy, recognizer)
        return Reading([line for line in lines if line.text.strip()], rotation)

    async def _detect(self, pixels: Image, detector: str) -> FloatArray:
        settings = self._settings.detection
        scale = canvas.detection_scale(
            pixels.shape[:2], settings.limit_long_side, settings.limit_short_side
        )
        page = canvas.shrink(pixels, scale)
        height, width = page.shape[:2]
        windows = canvas.plan_windows(height, width, settings.canvases)
        # One after the other: a long page must not hold all its windows in memory at once.
        maps = [
            (await self._infer(detector, "IMAGE", canvas.fill_canvas(page, window)[None]))[
                "PROBABILITY_MAP"
            ][0]
            for window in windows
        ]
        boxes = find_boxes(canvas.stitch((height, width), windows, maps), settings.thresholds)
        factors = np.array([pixels.shape[1] / width, pixels.shape[0] / height], np.float32)
        limits = np.array([pixels.shape[1], pixels.shape[0]], np.float32)
        return np.clip(boxes * factors, 0, limits).astype(np.float32)

    async def _recognize(
        self, pixels: Image, polygons: FloatArray, strategy: Strategy, recognizer: str
    ) -> list[Line]:
        settings = self._settings.recognition
        widest = settings.widths[-1]
        crops = [
            piece
            for index, polygon in enumerate(polygons)
            for piece in line_crops.cut_line(
                index, pixels, polygon, settings.height, strategy.squeeze, widest
            )
        ]
        read = await self._read_crops(crops, recognizer)
        return [
            _join(
                [(crop, *read[i]) for i, crop in enumerate(crops) if crop.line_index == index],
                polygon,
            )
            for index, polygon in enumerate(polygons)
        ]

    async def _read_crops(
        self, crops: list[line_crops.Crop], recognizer: str
    ) -> list[tuple[str, float]]:
        settings = self._settings.recognition
        widths = [crop.pixels.shape[1] for crop in crops]
        # A part of a batch each: a page's lines spread over instances, and pages share batches.
        most = max(1, settings.max_batch_size // 4)
        chunks = group_by_width(widths, settings.widths, most)
        results: list[tuple[str, float]] = [("", 0.0)] * len(crops)

        async def read_chunk(chunk: Chunk) -> None:
            batch = line_crops.fill_bucket(
                [crops[i] for i in chunk.indices], chunk.width, settings.padding
            )
            outputs = await self._infer(recognizer, "CROP", batch)
            for row, index in enumerate(chunk.indices):
                steps = -(-widths[index] // settings.pixels_per_step)
                decoded = decode_line(
                    outputs["CODEPOINT"][row, :steps].astype(np.int32),
                    outputs["PROBABILITY"][row, :steps].astype(np.float32),
                )
                crop = crops[index]
                gaps = find_word_gaps(crop.pixels, crop.squeeze, decoded, settings.pixels_per_step)
                results[index] = spaced_text(decoded.characters, gaps), decoded.confidence

        await asyncio.gather(*(read_chunk(chunk) for chunk in chunks))
        return results

    async def _turn_doubtful_lines(
        self, pixels: Image, lines: list[Line], strategy: Strategy, recognizer: str
    ) -> list[Line]:
        doubtful = [i for i, line in enumerate(lines) if line.confidence < DOUBTFUL_LINE_CONFIDENCE]
        upside_down = await self._upside_down(pixels, [lines[i].polygon for i in doubtful])
        turned = [i for i, flag in zip(doubtful, upside_down, strict=True) if flag]
        if not turned:
            return lines
        polygons = np.stack(
            [np.roll(line_crops.reading_polygon(lines[i].polygon), 2, 0) for i in turned]
        )
        for index, line in zip(
            turned, await self._recognize(pixels, polygons, strategy, recognizer), strict=True
        ):
            if line.confidence > lines[index].confidence:
                lines[index] = line
        return lines

    async def _upside_down(self, pixels: Image, polygons: list[FloatArray]) -> list[bool]:
        shape = self._settings.textline_orientation
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
            outputs = await self._infer("textline_orientation", "CROP", batch)
            flags += [bool(row[1] > row[0]) for row in outputs["PROBABILITY"]]
        return flags


def _join(pieces: list[tuple[line_crops.Crop, str, float]], polygon: FloatArray) -> Line:
    text = "".join((" " if crop.spaced and part else "") + part for crop, part, _ in pieces)
    characters = sum(len(part) for _, part, _ in pieces)
    confidence = sum(score * len(part) for _, part, score in pieces) / max(1, characters)
    return Line(text.strip(), confidence, polygon)

"""From line polygons to text: crops, recognition, spaces, and a second look at dense lines.

The models are reached through one function, so that the same code runs in Triton and in a test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import line_crops
import numpy as np
import numpy.typing as npt
from ctc_decode import decode_line
from line_crops import Crop, FloatArray, Image
from page_settings import RecognitionSettings
from width_buckets import Chunk, group_by_width
from word_gaps import find_word_gaps, spaced_text

Infer = Callable[[str, str, npt.NDArray[np.uint8]], Awaitable[dict[str, npt.NDArray[np.generic]]]]
"""Model name, input name, batch → outputs by name."""
Cut = Callable[[int, FloatArray], list[Crop]]

CHUNKS_AT_ONCE = 16
"""Of one page: enough to fill every batch, few enough that 1,000 lines do not all lie in memory."""

DENSE_TIGHTEST = 0.7
"""A dense line wider than the widest bucket is split rather than squeezed more than this."""


@dataclass(frozen=True)
class Line:
    """Text, the mean probability of its characters, polygon [4, 2] in page pixels."""

    text: str
    confidence: float
    polygon: FloatArray


@dataclass(frozen=True)
class _Piece:
    """A crop and what stands in it; `characters` without the spaces found in the picture."""

    crop: Crop
    text: str
    confidence: float
    characters: int


class LineReader:
    """Reads the lines of pages with the recognizers of one release."""

    def __init__(self, settings: RecognitionSettings, infer: Infer) -> None:
        self._settings = settings
        self._infer = infer

    async def read(
        self, pixels: Image, polygons: FloatArray, squeeze: float, recognizer: str
    ) -> list[Line]:
        """Return one line for each polygon; a line too dense for `squeeze` is read twice."""
        cut = partial(self._cut, pixels, squeeze=squeeze, tightest=line_crops.TIGHTEST_SQUEEZE)
        lines = await self._read(cut, dict(enumerate(polygons)), recognizer)
        dense = {i: polygons[i] for i, pieces in lines.items() if any(map(self._is_dense, pieces))}
        cut = partial(self._cut, pixels, squeeze=1.0, tightest=DENSE_TIGHTEST)
        lines |= await self._read(cut, dense, recognizer)
        return [_join(lines[i], polygon) for i, polygon in enumerate(polygons)]

    def _is_dense(self, piece: _Piece) -> bool:
        # Two equal letters are told apart by a blank step between them: narrow ones melt.
        steps = piece.crop.pixels.shape[1] / self._settings.pixels_per_step
        return piece.crop.squeeze < 1.0 and piece.characters > self._settings.densest * steps

    def _cut(
        self, pixels: Image, index: int, polygon: FloatArray, *, squeeze: float, tightest: float
    ) -> list[Crop]:
        height, widest = self._settings.height, self._settings.widths[-1]
        return line_crops.cut_line(index, pixels, polygon, height, squeeze, widest, tightest)

    async def _read(
        self, cut: Cut, polygons: dict[int, FloatArray], recognizer: str
    ) -> dict[int, list[_Piece]]:
        crops = [crop for index, polygon in polygons.items() for crop in cut(index, polygon)]
        lines: dict[int, list[_Piece]] = {index: [] for index in polygons}
        for piece in await self._read_crops(crops, recognizer):
            lines[piece.crop.line_index].append(piece)
        return lines

    async def _read_crops(self, crops: Sequence[Crop], recognizer: str) -> list[_Piece]:
        widths = [crop.pixels.shape[1] for crop in crops]
        # A part of a batch each: a page's lines spread over instances, and pages share batches.
        most = max(1, self._settings.max_batch_size // 4)
        chunks = group_by_width(widths, self._settings.widths, most)
        turns = asyncio.Semaphore(CHUNKS_AT_ONCE)

        async def read_chunk(chunk: Chunk) -> dict[int, _Piece]:
            async with turns:
                return await self._read_chunk(crops, chunk, recognizer)

        read = await asyncio.gather(*map(read_chunk, chunks))
        found = {i: piece for pieces in read for i, piece in pieces.items()}
        return [found[i] for i in range(len(crops))]

    async def _read_chunk(
        self, crops: Sequence[Crop], chunk: Chunk, recognizer: str
    ) -> dict[int, _Piece]:
        batch = line_crops.fill_bucket(
            [crops[i] for i in chunk.indices], chunk.width, self._settings.padding
        )
        outputs = await self._infer(recognizer, "CROP", batch)
        rows = zip(outputs["CODEPOINT"], outputs["PROBABILITY"], strict=True)
        return {
            index: self._decode(crops[index], codepoints, probabilities)
            for index, (codepoints, probabilities) in zip(chunk.indices, rows, strict=True)
        }

    def _decode(
        self,
        crop: Crop,
        codepoints: npt.NDArray[np.generic],
        probabilities: npt.NDArray[np.generic],
    ) -> _Piece:
        step = self._settings.pixels_per_step
        steps = -(-crop.pixels.shape[1] // step)
        decoded = decode_line(
            codepoints[:steps].astype(np.int32), probabilities[:steps].astype(np.float32)
        )
        gaps = find_word_gaps(crop.pixels, crop.squeeze, decoded, step)
        text = spaced_text(decoded.characters, gaps)
        return _Piece(crop, text, decoded.confidence, sum(c != " " for c in decoded.characters))


def _join(pieces: Sequence[_Piece], polygon: FloatArray) -> Line:
    text = "".join((" " if p.crop.spaced and p.text else "") + p.text for p in pieces)
    characters = sum(len(p.text) for p in pieces)
    confidence = sum(p.confidence * len(p.text) for p in pieces) / max(1, characters)
    return Line(text.strip(), confidence, polygon)

"""From line polygons to text: crops, recognition, spaces, and a second look at doubtful lines.

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
from directions import Direction, outline_along, possible_directions
from line_crops import Crop, FloatArray, Image
from line_words import Piece, join_pieces, word_spans
from page_settings import RecognitionSettings
from width_buckets import Chunk, group_by_width
from word_gaps import drop_needless_spaces, find_word_gaps, missing_spaces, strips_between

Infer = Callable[[str, npt.NDArray[np.uint8]], Awaitable[dict[str, npt.NDArray[np.generic]]]]
"""Model name, batch → outputs by name."""
Cut = Callable[[int, FloatArray], list[Crop]]

CHUNKS_AT_ONCE = 16
"""Of one page: enough to fill every batch, few enough that 1,000 lines do not all lie in memory."""

DENSE_TIGHTEST = 0.7
"""A dense line wider than the widest bucket is split rather than squeezed more than this."""


SURE_CONFIDENCE = 0.9
"""A tall outline that reads worse than this is read in its other directions as well."""


FEWEST_CHARACTERS = 0.5
"""A line has at least so many characters for each part that is as long as the line is high."""


@dataclass(frozen=True)
class Line:
    """Text, the mean probability of its characters, and where it stands.

    The polygon, FP32 [4, 2] in page pixels, begins with the corner at the page's top left.
    """

    text: str
    confidence: float
    polygon: FloatArray
    pieces: tuple[Piece, ...] = ()
    direction: Direction = Direction.RIGHT

    @property
    def reading_polygon(self) -> FloatArray:
        """The polygon, clockwise from the reading top left."""
        return outline_along(self.polygon, self.direction)

    @property
    def plausibility(self) -> float:
        """The confidence, less where there are too few characters for the line's length."""
        length, thickness = line_crops.side_lengths(self.reading_polygon)
        return self.confidence * min(1.0, len(self.text) * thickness / (FEWEST_CHARACTERS * length))

    @property
    def word_spans(self) -> FloatArray:
        """A row [start, end, confidence] for each word of the text, as `line_words` has it."""
        return word_spans(self.pieces)


@dataclass(frozen=True)
class _Read:
    """What was read in a crop, and whether it is too dense for how the crop was squeezed."""

    line_index: int
    piece: Piece
    is_dense: bool


class LineReader:
    """Reads the lines of pages with the recognizers of one release."""

    def __init__(self, settings: RecognitionSettings, infer: Infer) -> None:
        self._settings = settings
        self._infer = infer

    async def read(
        self, pixels: Image, polygons: FloatArray, squeeze: float, recognizer: str
    ) -> list[Line]:
        """Return one line for each polygon, read along the direction in which it reads best."""
        ways = [possible_directions(polygon) for polygon in polygons]
        read = partial(self.read_along, pixels, squeeze=squeeze, recognizer=recognizer)
        lines = await read([(p, way[0]) for p, way in zip(polygons, ways, strict=True)])
        others = [
            (i, direction)
            for i, way in enumerate(ways)
            if lines[i].plausibility < SURE_CONFIDENCE
            for direction in way[1:]
        ]
        again = await read([(polygons[i], direction) for i, direction in others])
        for (i, _), line in zip(others, again, strict=True):
            if line.plausibility > lines[i].plausibility:
                lines[i] = line
        return lines

    async def read_along(
        self,
        pixels: Image,
        outlines: Sequence[tuple[FloatArray, Direction]],
        squeeze: float,
        recognizer: str,
    ) -> list[Line]:
        """Return one line for each outline; a line too dense for `squeeze` is read twice."""
        polygons = [outline_along(polygon, direction) for polygon, direction in outlines]
        cut = partial(self._cut, pixels, squeeze=squeeze, tightest=line_crops.TIGHTEST_SQUEEZE)
        found = await self._read(cut, dict(enumerate(polygons)), recognizer)
        dense = {
            i: polygons[i] for i, reads in found.items() if any(read.is_dense for read in reads)
        }
        cut = partial(self._cut, pixels, squeeze=1.0, tightest=DENSE_TIGHTEST)
        found |= await self._read(cut, dense, recognizer)
        return [_join(found[i], *outline) for i, outline in enumerate(outlines)]

    def _cut(
        self, pixels: Image, index: int, polygon: FloatArray, *, squeeze: float, tightest: float
    ) -> list[Crop]:
        height, widest = self._settings.height, self._settings.widths[-1]
        return line_crops.cut_line(index, pixels, polygon, height, squeeze, widest, tightest)

    async def _read(
        self, cut: Cut, polygons: dict[int, FloatArray], recognizer: str
    ) -> dict[int, list[_Read]]:
        crops = [crop for index, polygon in polygons.items() for crop in cut(index, polygon)]
        lines: dict[int, list[_Read]] = {index: [] for index in polygons}
        for read in await self._read_crops(crops, recognizer):
            lines[read.line_index].append(read)
        return lines

    async def _read_crops(self, crops: Sequence[Crop], recognizer: str) -> list[_Read]:
        widths = [crop.pixels.shape[1] for crop in crops]
        # A part of a batch each: a page's lines spread over instances, and pages share batches.
        most = max(1, self._settings.max_batch_size // 4)
        chunks = group_by_width(widths, self._settings.widths, most)
        turns = asyncio.Semaphore(CHUNKS_AT_ONCE)

        async def read_chunk(chunk: Chunk) -> dict[int, _Read]:
            async with turns:
                return await self._read_chunk(crops, chunk, recognizer)

        read = await asyncio.gather(*map(read_chunk, chunks))
        found = {i: one for reads in read for i, one in reads.items()}
        return [found[i] for i in range(len(crops))]

    async def _read_chunk(
        self, crops: Sequence[Crop], chunk: Chunk, recognizer: str
    ) -> dict[int, _Read]:
        batch = line_crops.fill_bucket(
            [crops[i] for i in chunk.indices], chunk.width, self._settings.padding
        )
        outputs = await self._infer(recognizer, batch)
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
    ) -> _Read:
        step = self._settings.pixels_per_step
        steps = -(-crop.pixels.shape[1] // step)
        decoded = decode_line(
            codepoints[:steps].astype(np.int32), probabilities[:steps].astype(np.float32)
        )
        em = crop.pixels.shape[0] * crop.squeeze
        strips = strips_between(crop.pixels, decoded, step)
        strips, decoded = drop_needless_spaces(strips, decoded, em)
        gaps = find_word_gaps(strips, decoded, em)
        spaces = missing_spaces(decoded.characters, gaps)
        piece = Piece(decoded, spaces, strips, crop.spaced, crop.left, crop.right)
        # Two equal letters are told apart by a blank step between them: narrow ones melt.
        written = sum(character != " " for character in decoded.characters)
        is_dense = crop.squeeze < 1.0 and (
            written > self._settings.densest * crop.pixels.shape[1] / step
        )
        return _Read(crop.line_index, piece, is_dense)


def _join(reads: Sequence[_Read], polygon: FloatArray, direction: Direction) -> Line:
    pieces = tuple(read.piece for read in reads)
    text, confidence = join_pieces(pieces)
    return Line(text, confidence, polygon, pieces, direction)

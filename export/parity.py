"""Proof that an exported graph answers as the published one, on pages and crops."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from export.errors import ParityError
from export.onnx_model import Published
from export.paddle.session import PaddleSession
from export.running import open_session
from export.samples import Image, fit_crop, line_crops
from export.spec import DetectionSpec, OrientationSpec, RecognitionSpec, Spec, TaskName, TaskSpec

Floats = npt.NDArray[np.float32]
Ask = Callable[[Floats], Floats]

# Folding the normalization into weights moves sums by float rounding only. Measured: under 1e-4.
PROBABILITY_TOLERANCE = 1e-3
# A map of 256 levels is half a level off by its rounding.
MAP_TOLERANCE = 1 / 255
# Where a pack's classes together hold less than this, the step shows another script and a pack's
# choice among its own is noise.
LEAST_SHARE = 1e-3
# Taken evenly over a page: a dense page of one's own has over a hundred, and each costs seconds.
LINES_OF_A_PAGE = 12


@dataclass(frozen=True)
class Comparison:
    """One model's parity: inputs compared, of them with the same answer, greatest difference.

    For recognition the answer is the text, for orientation the class; a detection map has none
    beyond its difference. Differences count probabilities from 0 to 1.
    """

    model: str
    inputs: int
    same: int
    difference: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether every answer is the same and every difference within the tolerance."""
        return self.same == self.inputs and self.difference <= self.tolerance


class Prover:
    """Compares models on one set of pages; published graphs are loaded once.

    A Paddle model is asked in Paddle itself, whose environment is in `cache`.
    """

    def __init__(self, spec: Spec, pages: Sequence[Image], threads: int, cache: Path) -> None:
        self._spec = spec
        self._pages = pages
        self._threads = threads
        self._cache = cache
        self._asked: dict[str, Ask] = {}

    def compare(
        self, exported: Sequence[tuple[Published, bytes]], crops: Sequence[Image]
    ) -> list[Comparison]:
        """Return how models cut from one published graph differ from it.

        Args:
            exported: What was published, which is the same graph in all, and the ONNX file that
                is to replace it.
            crops: Line images, from `crops_by`.
        """
        first = exported[0][0]
        task = self._spec.task(first.model)
        ask = self._published(first)
        ours = [open_session(onnx, self._threads) for _, onnx in exported]
        pairs: list[list[tuple[bool, float]]] = [[] for _ in exported]
        for pixels in self._inputs(first.model.task, crops):
            before = ask(normalize(pixels, task))
            for (published, _), session, differences in zip(exported, ours, pairs, strict=True):
                after = session.run(None, {session.get_inputs()[0].name: pixels[None]})
                answers = [output[0] for output in after]
                differences.append(_differ(task, published, before[0], answers))
        models = [published for published, _ in exported]
        return [_sum_up(m, task, d) for m, d in zip(models, pairs, strict=True)]

    def crops_by(self, detector: Published) -> list[Image]:
        """Return line images that a published detector finds on the pages, some of each.

        Raises:
            ParityError: It finds none, so nothing could be compared.
        """
        task = self._spec.tasks.detection
        ask = self._published(detector)
        crops: list[Image] = []
        for page in self._pages:
            found = ask(normalize(page, task))
            lines = line_crops(page, found[0, 0], task.binarize_threshold)
            crops.extend(lines[:: math.ceil(len(lines) / LINES_OF_A_PAGE) or 1])
        if not crops:
            raise ParityError("the sample pages show no line of text: name pages with --pages")
        return crops

    def _published(self, published: Published) -> Ask:
        key = f"{published.model.source}/{published.model.file}"
        if key not in self._asked:
            self._asked[key] = self._ask(published)
        return self._asked[key]

    def _ask(self, published: Published) -> Ask:
        if published.paddle is not None:
            return PaddleSession(published.paddle, self._cache).run
        session = open_session(published.onnx, self._threads)
        (pixels,) = session.get_inputs()
        return lambda floats: session.run(None, {pixels.name: floats})[0]

    def _inputs(self, task: TaskName, crops: Sequence[Image]) -> list[Image]:
        tasks = self._spec.tasks
        if task == "detection":
            return list(self._pages)
        if task == "recognition":
            lines = tasks.recognition
            return [fit_crop(c, lines.height, lines.widths, lines.padding) for c in crops]
        if task == "page_orientation":
            return [_resize(page, tasks.page_orientation) for page in self._turned]
        both_ways = [*crops, *(crop[::-1, ::-1] for crop in crops)]
        return [_resize(crop, tasks.textline_orientation) for crop in both_ways]

    @cached_property
    def _turned(self) -> list[Image]:
        return [np.rot90(page, turns) for page in self._pages for turns in range(4)]


def normalize(pixels: Image, task: TaskSpec) -> Floats:
    """Return RGB pixels as the published preprocessing makes them: FP32 [1,3,H,W]."""
    ordered = pixels[..., ::-1] if task.channel_order == "BGR" else pixels
    scaled = ordered.astype(np.float32) / np.float32(255)
    centered = (scaled - np.array(task.mean, np.float32)) / np.array(task.std, np.float32)
    return np.ascontiguousarray(centered.transpose(2, 0, 1)[None], np.float32)


def collapse(codepoints: npt.NDArray[np.int32]) -> str:
    """Return the text of one line's steps: repetitions and blanks (0) left out, as CTC wants."""
    kept = np.ones(len(codepoints), bool)
    kept[1:] = codepoints[1:] != codepoints[:-1]
    return "".join(map(chr, codepoints[kept & (codepoints != 0)]))


def check(comparisons: Sequence[Comparison]) -> None:
    """Raise ParityError naming every comparison that does not hold."""
    failed = [
        f"  {c.model}: {c.inputs - c.same} of {c.inputs} answers differ, greatest difference "
        f"{c.difference:.2g} (allowed {c.tolerance:.2g})"
        for c in comparisons
        if not c.holds
    ]
    if failed:
        raise ParityError(
            "\n".join(
                (
                    "exported models do not answer as the published ones; nothing was installed:",
                    *failed,
                    "Check mean, std and channel_order of the task in models.toml, and the pages.",
                )
            )
        )


def _sum_up(
    published: Published, task: TaskSpec, pairs: Sequence[tuple[bool, float]]
) -> Comparison:
    tolerance = MAP_TOLERANCE if isinstance(task, DetectionSpec) else PROBABILITY_TOLERANCE
    same = sum(equal for equal, _ in pairs)
    greatest = max(difference for _, difference in pairs)
    return Comparison(published.name, len(pairs), same, greatest, tolerance)


def _resize(image: Image, task: OrientationSpec) -> Image:
    whole = np.ascontiguousarray(image)
    return np.asarray(cv2.resize(whole, (task.width, task.height)), np.uint8)


def _differ(
    task: TaskSpec, published: Published, before: Floats, after: list[npt.NDArray[Any]]
) -> tuple[bool, float]:
    if isinstance(task, DetectionSpec):
        levels = after[0].astype(np.float64) / 255
        return True, float(np.abs(levels - before[0]).max())
    if isinstance(task, RecognitionSpec):
        return _differ_in_text(published, before, after[0], after[1])
    return bool(before.argmax() == after[0].argmax()), float(np.abs(before - after[0]).max())


def _differ_in_text(
    published: Published, before: Floats, codepoints: npt.NDArray[np.int32], probability: Floats
) -> tuple[bool, float]:
    assert published.alphabet is not None
    kept = before[:, list(published.alphabet.classes)]
    share = kept.sum(axis=1)
    said = share > LEAST_SHARE
    letters = np.array(published.alphabet.codepoints)
    expected = letters[kept.argmax(axis=1)]
    same = collapse(expected[said]) == collapse(codepoints[said])
    difference = np.abs(kept.max(axis=1)[said] / share[said] - probability[said])
    return same, float(difference.max(initial=0.0))

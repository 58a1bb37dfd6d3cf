"""What Triton answers beside what a release's files answer in plain onnxruntime.

The proof of the files (Paddle or the published graph against them) is in the manifest; this is
the rest of the way: backend, batching, and the precision that the serving machine computes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tritonclient.grpc as grpc
from pydantic import BaseModel
from rapidfuzz.distance import Levenshtein

from export.configs import read_config
from export.samples import Image, drawn_pages, fit_crop, line_crops
from ocr_base.machine import usable_cores
from ocr_base.triton import CONFIG, MODEL_VERSION, served_name

#: Of characters, pixels or classes: below it a model is not served as it was proven. A processor
#: that computes in 8 or 16 bits takes some: the golden pages say whether they matter.
LEAST_AGREEMENT = 0.9
_THRESHOLD = 0.3
_LINE_HEIGHT = 48
_PADDING = 127


class ServedParity(BaseModel):
    """One model.

    Attributes:
        inputs: Pages or lines that were compared.
        same: Those with the same text, map of text or class.
        agreement: Of characters, pixels or classes, over all inputs.
        difference: The greatest between probabilities, 0 to 1.
    """

    model: str
    inputs: int
    same: int
    agreement: float
    difference: float

    @property
    def holds(self) -> bool:
        """Whether Triton answers as the file does."""
        return self.agreement >= LEAST_AGREEMENT

    @property
    def says(self) -> str:
        """The fault in words."""
        return f"{self.model}: Triton's answers agree with the file's by {self.agreement:.1%}"


@dataclass(frozen=True)
class _Served:
    config: Any
    file: Path

    @property
    def outputs(self) -> list[str]:
        return [output.name for output in self.config.output]

    @cached_property
    def session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_cores()
        return onnxruntime.InferenceSession(self.file, options, providers=["CPUExecutionProvider"])

    def shapes(self) -> list[tuple[int, int]]:
        """Return every (height, width) that the model is warmed with."""
        dims = (next(iter(w.inputs.values())).dims for w in self.config.model_warmup)
        return [(int(d[0]), int(d[1])) for d in dims]


def compare_served(
    client: grpc.InferenceServerClient, models: Path, release: int
) -> list[ServedParity]:
    """Ask Triton and the ONNX files of a release for the same pages and lines."""
    served = {
        folder.name: _Served(read_config(folder / CONFIG), file)
        for folder in sorted(models.iterdir())
        if (file := folder / MODEL_VERSION / "model.onnx").is_file()
    }
    # In Latin letters, which every recognizer writes.
    pages = drawn_pages()[:1]
    crops = _crops(next(m for m in served.values() if _task(m) == "detection"), pages)
    found = []
    for name, model in served.items():
        pairs = [
            _compare(client, served_name(name, release), model, pixels)
            for pixels in _inputs(model, pages, crops)
        ]
        agreements, differences = zip(*pairs, strict=True)
        found.append(
            ServedParity(
                model=name,
                inputs=len(pairs),
                same=agreements.count(1.0),
                agreement=round(float(np.mean(agreements)), 4),
                difference=round(max(differences), 6),
            )
        )
    return found


def _task(model: _Served) -> str:
    outputs = set(model.outputs)
    if "PROBABILITY_MAP" in outputs:
        return "detection"
    return "recognition" if "CODEPOINT" in outputs else "orientation"


def _crops(detector: _Served, pages: Sequence[Image]) -> list[Image]:
    maps = (_ask_file(detector, page)["PROBABILITY_MAP"] for page in pages)
    return [c for p, m in zip(pages, maps, strict=True) for c in line_crops(p, m / 255, _THRESHOLD)]


def _inputs(model: _Served, pages: Sequence[Image], crops: Sequence[Image]) -> list[Image]:
    task, shapes = _task(model), model.shapes()
    if task == "detection":
        return list(pages)
    if task == "recognition":
        widths = [width for _, width in shapes]
        return [fit_crop(crop, shapes[0][0], widths, _PADDING) for crop in crops]
    height, width = shapes[0]
    images = crops if height == _LINE_HEIGHT else pages
    return [np.asarray(cv2.resize(image, (width, height)), np.uint8) for image in images]


def _ask_file(model: _Served, pixels: Image) -> dict[str, npt.NDArray[Any]]:
    answers = model.session.run(model.outputs, {model.config.input[0].name: pixels[None]})
    return {name: answer[0] for name, answer in zip(model.outputs, answers, strict=True)}


def _ask_triton(
    client: grpc.InferenceServerClient, name: str, model: _Served, pixels: Image
) -> dict[str, npt.NDArray[Any]]:
    tensor = grpc.InferInput(model.config.input[0].name, [1, *pixels.shape], "UINT8")
    tensor.set_data_from_numpy(pixels[None])
    answer = client.infer(name, [tensor])
    return {output: answer.as_numpy(output)[0] for output in model.outputs}


def _compare(
    client: grpc.InferenceServerClient, name: str, model: _Served, pixels: Image
) -> tuple[float, float]:
    ours, theirs = _ask_file(model, pixels), _ask_triton(client, name, model, pixels)
    if "CODEPOINT" in ours:
        texts = (_text(answer["CODEPOINT"]) for answer in (ours, theirs))
        agreed = ours["CODEPOINT"] == theirs["CODEPOINT"]
        off = np.abs(ours["PROBABILITY"] - theirs["PROBABILITY"])[agreed]
        return Levenshtein.normalized_similarity(*texts), float(off.max(initial=0.0))
    if "PROBABILITY_MAP" in ours:
        a, b = (answer["PROBABILITY_MAP"].astype(np.float32) / 255 for answer in (ours, theirs))
        agreement = float(((a > _THRESHOLD) == (b > _THRESHOLD)).mean())
        return agreement, float(np.abs(a - b).max())
    a, b = ours["PROBABILITY"], theirs["PROBABILITY"]
    return float(a.argmax() == b.argmax()), float(np.abs(a - b).max())


def _text(codepoints: npt.NDArray[np.int32]) -> str:
    """Collapse repeats and blanks, as `page_reading` does."""
    kept = codepoints[np.concatenate(([True], codepoints[1:] != codepoints[:-1]))]
    return "".join(map(chr, kept[kept != 0]))

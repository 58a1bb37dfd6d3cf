"""This service's half of the tensor contract with `page_reading` (see docs/architecture.md)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from tritonclient import grpc as triton
from tritonclient.grpc import model_config_pb2, service_pb2

from ocr_base.triton import READER
from preprocess_service.document import Line, Word
from preprocess_service.errors import EngineContractError
from preprocess_service.inference.engine import EngineDescription, PageReading, ReadingOptions
from preprocess_service.inference.words import to_confidence, to_corners, to_words

#: Name → datatype, as `page_reading/config.pbtxt` must have them.
INPUTS = {
    "PIXELS": "UINT8",
    "STRATEGY": "BYTES",
    "LANGUAGE": "BYTES",
    "DETECT_ORIENTATION": "BOOL",
    "WORDS": "BOOL",
    "SCALE": "FP32",
}
OUTPUTS = {
    "TEXT": "BYTES",
    "CONFIDENCE": "FP32",
    "POLYGON": "FP32",
    "RELEASE": "INT32",
    "ROTATION": "INT32",
    "WORD_SPAN": "FP32",
}
#: Keys of `page_reading`'s parameters that are read here.
PARAMETERS = ("release", "strategies", "languages")


class InferenceResult(Protocol):
    """The part of Triton's answer that is read here."""

    def as_numpy(self, name: str) -> npt.NDArray[Any] | None:
        """The output of that name, or None where it is missing."""
        ...


def to_inputs(pixels: npt.NDArray[np.uint8], options: ReadingOptions) -> list[triton.InferInput]:
    """A page and its options as Triton takes them; what is left to the strategy is left out."""
    inputs = [_input("PIXELS", pixels), _input("STRATEGY", _strings([options.strategy]))]
    if options.languages:
        inputs.append(_input("LANGUAGE", _strings(options.languages)))
    if options.detect_orientation is not None:
        inputs.append(_input("DETECT_ORIENTATION", np.array([options.detect_orientation])))
    if options.words:
        inputs.append(_input("WORDS", np.array([True])))
    return inputs


def _input(name: str, values: npt.NDArray[Any]) -> triton.InferInput:
    tensor = triton.InferInput(name, list(values.shape), INPUTS[name])
    tensor.set_data_from_numpy(values)
    return tensor


def _strings(values: Iterable[str]) -> npt.NDArray[np.object_]:
    return np.array([value.encode() for value in values], dtype=np.object_)


def to_reading(result: InferenceResult) -> PageReading:
    """Triton's answer as lines.

    Raises:
        EngineContractError: A tensor is missing, or their lengths differ.
    """
    arrays = {name: _output(result, name) for name in OUTPUTS}
    encoded, confidences, polygons = (arrays[name] for name in ("TEXT", "CONFIDENCE", "POLYGON"))
    if not len(encoded) == len(confidences) == len(polygons):
        raise EngineContractError(f"{READER} answered with tensors of different lengths.")
    texts = [text.decode("utf-8", "replace") for text in encoded]
    words = _words(texts, arrays)
    return PageReading(
        lines=tuple(
            to_line(text, confidence, polygon, found)
            for text, confidence, polygon, found in zip(
                texts, confidences.tolist(), polygons.tolist(), words, strict=True
            )
        ),
        rotation=int(arrays["ROTATION"][0]),
        release=int(arrays["RELEASE"][0]),
    )


def _output(result: InferenceResult, name: str) -> npt.NDArray[Any]:
    array = result.as_numpy(name)
    if array is None:
        raise EngineContractError(f"{READER} answered without {name}.")
    return array


def _words(
    texts: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]
) -> Sequence[tuple[Word, ...] | None]:
    """The words of each line; None where they were not asked for."""
    if not len(arrays["WORD_SPAN"]):
        return [None] * len(texts)
    try:
        return to_words(texts, arrays["POLYGON"], arrays["WORD_SPAN"])
    except ValueError as exc:
        raise EngineContractError(f"{READER} answered with {exc}.") from exc


def to_line(
    text: str, confidence: float, polygon: list[list[float]], words: tuple[Word, ...] | None = None
) -> Line:
    """A line with its bounding box; coordinates are rounded to a tenth of a pixel."""
    corners, bbox = to_corners(polygon)
    return Line(
        text=text, confidence=to_confidence(confidence), polygon=corners, bbox=bbox, words=words
    )


def to_batch_sizes(
    statistics: service_pb2.ModelStatisticsResponse,
) -> dict[str, dict[int, int]]:
    """Model → batch size → how often it ran; all versions of a model together."""
    counts: dict[str, Counter[int]] = {}
    for model in statistics.model_stats:
        sizes = counts.setdefault(model.name, Counter())
        for batch in model.batch_stats:
            sizes[int(batch.batch_size)] += int(batch.compute_infer.count)
    return {model: dict(sizes) for model, sizes in counts.items() if sizes}


def to_description(config: model_config_pb2.ModelConfig) -> EngineDescription:
    """What `page_reading`'s parameters say of the live release.

    Raises:
        EngineContractError: A parameter is missing or no JSON.
    """
    try:
        found = {key: json.loads(config.parameters[key].string_value) for key in PARAMETERS}
    except ValueError as exc:
        raise EngineContractError(f"{READER} does not describe its release.") from exc
    strategies: Mapping[str, Mapping[str, Any]] = found["strategies"]
    told = config.parameters["models"].string_value
    return EngineDescription(
        release=int(found["release"]),
        languages=found["languages"],
        models=_models_of(strategies.values(), json.loads(told) if told else {}),
        strategies=strategies,
        pages_at_once=_pages_at_once(config),
    )


def _pages_at_once(config: model_config_pb2.ModelConfig) -> int:
    # Half as many again as there are instances: none of them waits for its next page.
    instances = sum(int(group.count) for group in config.instance_group)
    return max(1, instances + instances // 2)


def _models_of(
    strategies: Iterable[Mapping[str, Any]], models: Mapping[str, Mapping[str, Any]]
) -> tuple[str, ...]:
    """What the strategies use; a release staged before its models were told names them by task."""
    by_task = {table["task"]: name for name, table in models.items()}
    names = [READER]
    for strategy in strategies:
        names += [strategy["detection"], *strategy["recognition"]]
        uses = {
            "page_orientation": strategy["page_orientation"] != "never",
            "textline_orientation": strategy["textline_orientation"],
        }
        names += [by_task.get(task, task) for task, is_used in uses.items() if is_used]
    return tuple(dict.fromkeys(names))

"""Tensors of the models, in Triton's words; docs/architecture.md shows them side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tritonclient.grpc import model_config_pb2 as triton

from export.spec import DetectionSpec, ModelSpec, OrientationSpec, RecognitionSpec, Spec

FREE = -1
PAGE_CLASSES = 4
TEXTLINE_CLASSES = 2


@dataclass(frozen=True)
class Tensor:
    """A named input or output; `dtype` is Triton's (`UINT8`, `STRING`, …), -1 a free dimension."""

    name: str
    dtype: str
    dims: tuple[int, ...]


def onnx_input(spec: Spec, model: ModelSpec) -> Tensor:
    """Return the pixels that an ONNX model takes, without their batch dimension."""
    task = spec.task(model)
    if isinstance(task, RecognitionSpec):
        return Tensor("CROP", "UINT8", (task.height, FREE, 3))
    if isinstance(task, OrientationSpec):
        name = "IMAGE" if model.task == "page_orientation" else "CROP"
        return Tensor(name, "UINT8", (task.height, task.width, 3))
    return Tensor("IMAGE", "UINT8", (FREE, FREE, 3))


def onnx_outputs(model: ModelSpec) -> tuple[Tensor, ...]:
    """Return what an ONNX model answers, without the batch dimension."""
    if model.task == "recognition":
        return Tensor("CODEPOINT", "INT32", (FREE,)), Tensor("PROBABILITY", "FP32", (FREE,))
    if model.task == "detection":
        return (Tensor("PROBABILITY_MAP", "UINT8", (FREE, FREE)),)
    classes = PAGE_CLASSES if model.task == "page_orientation" else TEXTLINE_CLASSES
    return (Tensor("PROBABILITY", "FP32", (classes,)),)


def bucket_shapes(spec: Spec, model: ModelSpec) -> list[tuple[int, int]]:
    """Return every (height, width) in pixels that a model is asked for."""
    task = spec.task(model)
    if isinstance(task, DetectionSpec):
        return list(task.canvases)
    if isinstance(task, RecognitionSpec):
        return [(task.height, width) for width in task.widths]
    assert isinstance(task, OrientationSpec)
    return [(task.height, task.width)]


def tensor_fields(tensor: Tensor) -> dict[str, Any]:
    """Return a tensor as fields of Triton's `ModelInput` and `ModelOutput`."""
    data_type = triton.DataType.Value(f"TYPE_{tensor.dtype}")
    return {"name": tensor.name, "data_type": data_type, "dims": tensor.dims}


def parameter(config: Any, key: str, value: str) -> None:
    """Set a parameter of a model configuration, which is always a string."""
    config.parameters[key].string_value = value

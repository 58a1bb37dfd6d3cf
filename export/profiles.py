"""TensorRT's optimization profiles: the shapes that a model is asked for, as a range."""

from __future__ import annotations

from dataclasses import dataclass

from export.spec import Spec
from export.tensors import bucket_shapes, onnx_input

Shape = tuple[int, int]


@dataclass(frozen=True)
class Profile:
    """Least, usual and greatest shape of a model's input, [batch, height, width, 3]."""

    tensor: str
    least: tuple[int, ...]
    usual: tuple[int, ...]
    most: tuple[int, ...]


def profile_of(spec: Spec, name: str) -> Profile:
    """Return the one profile that holds every bucket of a model at every batch of a GPU."""
    model = spec.models[name]
    batch = spec.task(model).max_batch_size.gpu
    least, usual, most = shape_range(bucket_shapes(spec, model))
    tensor = onnx_input(spec, model).name
    return Profile(tensor, (1, *least, 3), (max(1, batch // 2), *usual, 3), (batch, *most, 3))


def shape_range(shapes: list[Shape]) -> tuple[Shape, Shape, Shape]:
    """Return the least, the middle and the greatest of buckets, (height, width) in pixels."""
    heights, widths = zip(*shapes, strict=True)
    middle = sorted(shapes, key=lambda shape: shape[0] * shape[1])[len(shapes) // 2]
    return (min(heights), min(widths)), middle, (max(heights), max(widths))

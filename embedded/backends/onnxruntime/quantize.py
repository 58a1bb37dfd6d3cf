"""An f32 model made to compute its heavy convolutions in 8 bits, by ranges that its file carries.

Weights: symmetric, one scale for each channel. Activations: one range for each tensor, measured at
export (`export/calibrate.py`). OpenVINO turns the pairs of FakeQuantize into integer kernels.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

METADATA = "int8_ranges"
"""The ONNX metadata: a JSON object, name of a convolution → least and greatest of its input."""

_ACTIVATION_LEVELS = 256
_WEIGHT_LEVELS = 255

Ranges = Mapping[str, tuple[float, float]]


def read_ranges(model: Any) -> Ranges:
    """Return the ranges that an OpenVINO model's file carries; empty where it carries none."""
    path = ["framework", METADATA]
    if not model.has_rt_info(path):
        return {}
    ranges: Ranges = json.loads(model.get_rt_info(path).astype(str))
    return ranges


def quantize(openvino: Any, model: Any, ranges: Ranges) -> None:
    """Insert FakeQuantize before every convolution that has a range, in place."""
    quantized: dict[tuple[str, int], Any] = {}
    for node in model.get_ordered_ops():
        # A convolution that was split from its bias is named after it.
        name = node.get_friendly_name().split("/")[0]
        if node.get_type_name() != "Convolution" or name not in ranges:
            continue
        source = node.input_value(0)
        key = (source.get_node().get_friendly_name(), source.get_index())
        if key not in quantized:
            quantized[key] = _fake_quantize(
                openvino, source, *_limits(ranges[name]), _ACTIVATION_LEVELS
            )
        node.input(0).replace_source_output(quantized[key].output(0))
        weights = node.input_value(1)
        greatest = _greatest_by_channel(weights.get_node().data)
        rounded = _fake_quantize(openvino, weights, -greatest, greatest, _WEIGHT_LEVELS)
        node.input(1).replace_source_output(rounded.output(0))
    model.validate_nodes_and_infer_types()


def _fake_quantize(openvino: Any, value: Any, low: Any, high: Any, levels: int) -> Any:
    operators = openvino.opset13
    limits = [operators.constant(limit) for limit in (low, high, low, high)]
    return operators.fake_quantize(value, *limits, levels)


def _limits(given: tuple[float, float]) -> tuple[Any, Any]:
    """The limits as tensors, moved such that zero is one of the levels: padding must stay exact."""
    low, high = min(given[0], 0.0), max(given[1], 0.0)
    step = max(high - low, 1e-6) / (_ACTIVATION_LEVELS - 1)
    zero = round(-low / step)
    shape = (1, 1, 1, 1)
    return (
        np.full(shape, -zero * step, np.float32),
        np.full(shape, (_ACTIVATION_LEVELS - 1 - zero) * step, np.float32),
    )


def _greatest_by_channel(weights: Any) -> Any:
    flat = np.abs(np.asarray(weights, np.float32)).reshape(len(weights), -1)
    return np.maximum(flat.max(axis=1), 1e-6).reshape(-1, 1, 1, 1)

"""Between which values the inputs of a graph's convolutions lie: what 8-bit arithmetic needs.

The ranges travel in the ONNX file's metadata; the graph itself stays as exact as it was. A runtime
that computes in 8 bits reads them (`embedded/backends/onnxruntime/quantize.py`), others do not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import onnx

from export.running import open_session
from export.samples import Image

METADATA = "int8_ranges"
LEAST_CHANNELS = 16
"""Convolutions of fewer input channels are cheap and lose the most."""

Ranges = dict[str, tuple[float, float]]


def find_ranges(data: bytes, inputs: Sequence[Image], threads: int) -> Ranges:
    """Return the mean least and the mean greatest value of every heavy convolution's input.

    The means over the inputs, not the extremes: a single outlier would coarsen every other value.

    Args:
        data: An ONNX file that takes one tensor of pixels, [N, H, W, 3].
        inputs: Pixels of the kind that the model reads.
        threads: To compute with.
    """
    model = onnx.load_model_from_string(data)
    heavy = _heavy_convolutions(model)
    tensors = list(dict.fromkeys(heavy.values()))
    names = {output.name for output in model.graph.output}
    model.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(tensor)
        for tensor in tensors
        if tensor not in names
    )
    session = open_session(model.SerializeToString(), threads)
    lows: dict[str, list[float]] = {tensor: [] for tensor in tensors}
    highs: dict[str, list[float]] = {tensor: [] for tensor in tensors}
    for pixels in inputs:
        found = session.run(tensors, {session.get_inputs()[0].name: pixels[None]})
        for tensor, values in zip(tensors, found, strict=True):
            if values.shape[2:] != (1, 1):  # a gate: one number for each channel
                lows[tensor].append(float(values.min()))
                highs[tensor].append(float(values.max()))
    return {
        name: (round(float(np.mean(lows[tensor])), 6), round(float(np.mean(highs[tensor])), 6))
        for name, tensor in heavy.items()
        if lows[tensor]
    }


def with_ranges(data: bytes, ranges: Ranges, skipped: int) -> bytes:
    """Return an ONNX file that carries the ranges, without the first `skipped` convolutions."""
    model = onnx.load_model_from_string(data)
    kept = dict(list(ranges.items())[skipped:])
    model.metadata_props.add(key=METADATA, value=json.dumps(kept, separators=(",", ":")))
    return bytes(model.SerializeToString())


def _heavy_convolutions(model: onnx.ModelProto) -> dict[str, str]:
    """Name of a convolution → its input, for those over many channels that are not depthwise."""
    weights = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    return {
        node.name: node.input[0]
        for node in model.graph.node
        if node.op_type == "Conv"
        and weights[node.input[1]][1] >= LEAST_CHANNELS
        and all(a.i == 1 for a in node.attribute if a.name == "group")
    }

"""Graphs that say for themselves what is computed in 8 bits, as TensorRT takes them.

Each heavy convolution gets its input through a pair of QuantizeLinear and DequantizeLinear,
symmetric, with the scale of the range that calibration measured; its weights are stored in 8 bits,
one scale for each output channel. (https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html)
"""

from __future__ import annotations

import json

import numpy as np
import onnx
from onnx import helper, numpy_helper, version_converter

from export.calibrate import METADATA

_GREATEST = 127
_OPSET = 13


def has_ranges(model: bytes) -> bool:
    """Return whether an exported ONNX file carries what 8 bits need."""
    return METADATA in _metadata(onnx.load_model_from_string(model))


def with_quantization(model: bytes) -> bytes:
    """Return an exported ONNX file that carries ranges, with them as nodes of the graph."""
    loaded = _at_opset(onnx.load_model_from_string(model))
    ranges = json.loads(_metadata(loaded)[METADATA])
    weights = {tensor.name: tensor for tensor in loaded.graph.initializer}
    done: dict[str, str] = {}
    nodes: list[onnx.NodeProto] = []
    for node in loaded.graph.node:
        if node.op_type == "Conv" and node.name in ranges and node.input[1] in weights:
            tensor = node.input[0]
            if tensor not in done:
                low, high = ranges[node.name]
                scale = max(abs(low), abs(high), 1e-6) / _GREATEST
                nodes += _round_trip(loaded.graph, tensor, scale)
                done[tensor] = f"{tensor}_rounded"
            node.input[0] = done[tensor]
            nodes.append(_store_in_8_bits(loaded.graph, node, weights[node.input[1]]))
        nodes.append(node)
    del loaded.graph.node[:]
    loaded.graph.node.extend(nodes)
    _drop_unused(loaded.graph)
    return bytes(loaded.SerializeToString())


def _at_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph in which DequantizeLinear may have a scale for each channel."""
    opset = next(entry.version for entry in model.opset_import if not entry.domain)
    return model if opset >= _OPSET else version_converter.convert_version(model, _OPSET)


def _round_trip(graph: onnx.GraphProto, tensor: str, scale: float) -> list[onnx.NodeProto]:
    names = [f"{tensor}_scale", f"{tensor}_zero"]
    values = (np.float32(scale), np.int8(0))
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(v), n) for v, n in zip(values, names, strict=True)
    )
    return [
        helper.make_node("QuantizeLinear", [tensor, *names], [f"{tensor}_8bit"]),
        helper.make_node("DequantizeLinear", [f"{tensor}_8bit", *names], [f"{tensor}_rounded"]),
    ]


def _store_in_8_bits(
    graph: onnx.GraphProto, node: onnx.NodeProto, weights: onnx.TensorProto
) -> onnx.NodeProto:
    """Replace a convolution's weights; returns the node that gives them back as floats."""
    values = numpy_helper.to_array(weights).astype(np.float32)
    greatest = np.abs(values).reshape(len(values), -1).max(axis=1)
    scales = (np.maximum(greatest, 1e-6) / _GREATEST).astype(np.float32)
    rounded = np.rint(values / scales.reshape(-1, *[1] * (values.ndim - 1))).astype(np.int8)
    names = [f"{node.name}_{part}" for part in ("weights_8bit", "weights_scale", "weights_zero")]
    arrays = (rounded, scales, np.zeros(len(values), np.int8))
    graph.initializer.extend(
        numpy_helper.from_array(array, name) for array, name in zip(arrays, names, strict=True)
    )
    node.input[1] = f"{node.name}_weights"
    return helper.make_node("DequantizeLinear", names, [node.input[1]], axis=0)


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _metadata(model: onnx.ModelProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}

"""Rewrites of detection graphs that change their cost, not their answer.

What each saves of one page is in docs/performance.md. A pattern that a graph does not have is left
alone: the graph then costs what it cost before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from export.graph_tools import array_of, constant, producer_of

Floats = npt.NDArray[np.float32]

HEAD = ("ConvTranspose", "Add", "Relu", "ConvTranspose", "Add", "Sigmoid")
"""The head of Differentiable Binarization after its first convolution, as PaddleOCR exports it."""


def simplify(model: ir.Model) -> None:
    """Apply every rewrite of this module, in place."""
    fold_residual_gates(model)
    split_concatenations(model)
    fold_head(model)
    model.graph.sort()


def fold_residual_gates(model: ir.Model) -> None:
    """Turn x + x · gate into x · (1 + gate), where the gate is one number for each channel.

    The addition then touches a number per channel instead of a whole map.
    """
    for node in list(model.graph):
        if node.op_type != "Add":
            continue
        found = _residual_gate(node)
        if found is None:
            continue
        features, gate = found
        tape = ir.tape.Tape(model.graph)
        raised = tape.op("Add", [gate, constant(tape, f"{node.name}_one", np.float32(1))])
        _replace(model, node.outputs[0], tape.op("Mul", [features, raised]))


def split_concatenations(model: ir.Model) -> None:
    """Turn a convolution over two concatenated maps into the sum of two convolutions.

    The concatenated map, as large as the two, is never written.
    """
    for node in list(model.graph):
        concat = producer_of(node.inputs[0]) if node.op_type == "Conv" else None
        if concat is None or concat.op_type != "Concat" or len(concat.inputs) != 2:
            continue
        weights = array_of(node.inputs[1])
        width = _channels(concat.inputs[0])
        if width is None or len(concat.outputs[0].consumers()) != 1 or len(node.inputs) < 3:
            continue
        tape = ir.tape.Tape(model.graph)
        parts = np.split(weights, [width], axis=1)
        attributes = {a.name: a for a in node.attributes.values()}
        sums = []
        for position, (value, part) in enumerate(zip(concat.inputs, parts, strict=True)):
            name = f"{node.name}_part_{position}"
            kernel = constant(tape, name, np.ascontiguousarray(part))
            bias = [node.inputs[2]] if position == 0 else []
            sums.append(tape.op("Conv", [value, kernel, *bias], attributes))
        _replace(model, node.outputs[0], tape.op("Add", sums))


def fold_head(model: ir.Model) -> None:
    """Turn the head's transposed convolutions into convolutions of one pixel and a shuffle of them.

    A transposed convolution of 2 by 2 with stride 2 makes each pixel of its output from one pixel
    of its input. So both, and the sigmoid, can be computed at the input's size, where a pixel's 16
    probabilities are 16 channels, instead of on maps of one channel with 16 times as many pixels.
    """
    nodes = _chain_before(model.graph.outputs[0].producer(), HEAD)
    if nodes is None:
        return
    first, first_bias, _, second, second_bias, sigmoid = nodes
    one, two = array_of(first.inputs[1]), array_of(second.inputs[1])
    if one.shape[2:] != (2, 2) or two.shape[1:] != (1, 2, 2):
        return
    tape = ir.tape.Tape(model.graph)
    wide = _as_convolution(one)
    widened_bias = np.tile(array_of(first_bias.inputs[1]).reshape(-1), 4)
    hidden = tape.op(
        "Relu",
        [_convolve(tape, "head_first", first.inputs[0], wide, widened_bias)],
    )
    last_bias = np.full(16, array_of(second_bias.inputs[1]).reshape(-1)[0], np.float32)
    logits = _convolve(tape, "head_second", hidden, _sixteen_pixels(two), last_bias)
    probability = tape.op("Sigmoid", [logits])
    _replace(
        model,
        sigmoid.outputs[0],
        tape.op("DepthToSpace", [probability], {"blocksize": 4, "mode": "DCR"}),
    )


def _as_convolution(transposed: Floats) -> Floats:
    """[in, out, 2, 2] of a transposed convolution → [(dy, dx, out), in, 1, 1] of a convolution."""
    inputs = transposed.shape[0]
    kernel = transposed.transpose(2, 3, 1, 0).reshape(-1, inputs, 1, 1)
    return np.ascontiguousarray(kernel, np.float32)


def _sixteen_pixels(transposed: Floats) -> Floats:
    """Weights [16, 4 · in, 1, 1]: each of four pixels (dy, dx) makes four (ey, ex) of its own.

    Row 4 · (2 dy + ey) + 2 dx + ex is the pixel's place in a block of 4 by 4, as DepthToSpace
    wants.
    """
    inputs = transposed.shape[0]
    kernel = np.zeros((2, 2, 2, 2, 2, 2, inputs), np.float32)  # dy, ey, dx, ex, from dy, from dx
    for dy in range(2):
        for dx in range(2):
            kernel[dy, :, dx, :, dy, dx] = transposed[:, 0].transpose(1, 2, 0)
    return kernel.reshape(16, 4 * inputs, 1, 1)


def _convolve(
    tape: ir.tape.Tape, name: str, value: ir.Value | None, kernel: Floats, bias: Floats
) -> ir.Value:
    weights = constant(tape, f"{name}_weights", kernel)
    found: ir.Value = tape.op(
        "Conv",
        [value, weights, constant(tape, f"{name}_bias", bias)],
        {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0, 0, 0, 0], "group": 1},
    )
    return found


def _residual_gate(add: ir.Node) -> tuple[ir.Value, ir.Value] | None:
    """Return x and the gate of x + x · gate, None where the node is another addition."""
    for features, product in (add.inputs, add.inputs[::-1]):
        multiply = producer_of(product)
        if features is None or multiply is None or multiply.op_type != "Mul":
            continue
        if len(multiply.outputs[0].consumers()) != 1 or features not in multiply.inputs:
            continue
        gate = multiply.inputs[1 - multiply.inputs.index(features)]
        source = producer_of(gate)
        if gate is not None and source is not None and source.op_type == "HardSigmoid":
            return features, gate
    return None


def _channels(value: ir.Value | None) -> int | None:
    """Return how many channels a map has, as the convolution before it says."""
    node = producer_of(value)
    while node is not None and node.op_type in ("Relu", "MaxPool"):
        node = producer_of(node.inputs[0])
    if node is None or node.op_type != "Conv":
        return None
    return int(array_of(node.inputs[1]).shape[0])


def _chain_before(last: ir.Node | None, kinds: tuple[str, ...]) -> list[ir.Node] | None:
    """Return the nodes of those kinds that end in `last`, in order, None for any others."""
    nodes: list[ir.Node] = []
    for kind in reversed(kinds):
        if last is None or last.op_type != kind:
            return None
        nodes.insert(0, last)
        last = producer_of(last.inputs[0])
    return nodes


def _replace(model: ir.Model, old: ir.Value, new: ir.Value) -> None:
    for user, position in list(old.uses()):
        user.replace_input_with(position, new)
    outputs = model.graph.outputs
    outputs[:] = [new if output is old else output for output in outputs]

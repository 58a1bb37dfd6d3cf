"""Published float graphs made to take UINT8 pixels and to answer in the terms of the project.

The layers between stay as published. Operators are chosen such that the graph keeps its
operator set: onnx's version converter would rewrite every Softmax of operator set 11.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnx
import onnx_ir as ir
from onnx_ir.passes import common as passes

from export.alphabet import Alphabet, check_class_count
from export.errors import SurgeryError
from export.graph_tools import array_of, constant
from export.spec import TaskSpec

Shape = tuple[int | str, ...]

_AXES_ARE_INPUT = 13
"""The operator set from which ReduceSum takes its axes as an input."""


def load_graph(data: bytes) -> ir.Model:
    """Return a published model with its constants as initializers and without idle nodes."""
    model: ir.Model = ir.from_proto(onnx.load_model_from_string(data))
    passes.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    passes.IdentityEliminationPass()(model)
    return model


def save_graph(model: ir.Model, metadata: Mapping[str, str]) -> bytes:
    """Return a checked model's bytes, its published shapes replaced by inferred ones."""
    outputs = {value.name for value in model.graph.outputs}
    passes.RemoveUnusedNodesPass()(model)
    for node in model.graph:
        for value in node.outputs:
            if value.name not in outputs:
                value.shape = None
                value.type = None
    model.metadata_props.clear()
    model.metadata_props.update(metadata)
    proto = onnx.shape_inference.infer_shapes(ir.to_proto(model), strict_mode=True)
    onnx.checker.check_model(proto, full_check=True)
    return bytes(proto.SerializeToString())


def take_pixels(model: ir.Model, task: TaskSpec, name: str, shape: Shape) -> None:
    """Replace a graph's normalized float input by RGB pixels, UINT8 [N,H,W,3].

    (x / 255 - mean) / std in the published channel order becomes a subtraction of 255 · mean;
    the rest is folded into the first convolution's weights. The subtraction is not: zeros that
    the convolution pads with must stay the mean color.

    Raises:
        SurgeryError: The first layer is not one plain convolution of three channels, or the graph
            wants another height or width.
    """
    graph = model.graph
    published = graph.inputs[0]
    _check_sides(published, shape)
    convolution, weights = _first_convolution(published)
    scale = 1.0 / (255.0 * np.array(task.std, np.float64))
    mean = 255.0 * np.array(task.mean, np.float64)
    folded = weights.astype(np.float64) * scale[None, :, None, None]
    if task.channel_order == "BGR":
        folded, mean = folded[:, ::-1], mean[::-1]
    pixels = ir.val(name, ir.DataType.UINT8, shape)
    tape = ir.tape.Tape(graph)
    # The cast stands first: TensorRT does nothing else with 8-bit pixels.
    values = tape.op("Cast", [pixels], {"to": ir.DataType.FLOAT})
    floats = tape.op("Transpose", [values], {"perm": [0, 3, 1, 2]})
    offset = constant(tape, f"{name}_mean", mean.astype(np.float32).reshape(1, 3, 1, 1))
    centered = tape.op("Sub", [floats, offset])
    weight = constant(tape, f"{name}_weights", np.ascontiguousarray(folded, np.float32))
    convolution.replace_input_with(0, centered)
    convolution.replace_input_with(1, weight)
    graph.inputs[0] = pixels
    graph.sort()


def _check_sides(published: ir.Value, shape: Shape) -> None:
    if published.shape is None:
        return
    for side, wanted, ours in zip(
        ("height", "width"), published.shape[2:], shape[1:3], strict=True
    ):
        if isinstance(wanted, int) and wanted > 0 and wanted != ours:
            raise SurgeryError(
                f"the graph takes images of {side} {wanted}, the task in models.toml gives "
                f"{ours if isinstance(ours, int) else 'any'}: set the task's {side}, or use "
                "another model"
            )


def give_probability_map(model: ir.Model) -> None:
    """Replace [N,1,H,W] floats from 0 to 1 by `PROBABILITY_MAP`, UINT8 [N,H,W] from 0 to 255."""
    tape = ir.tape.Tape(model.graph)
    probability = model.graph.outputs[0]
    levels = tape.op("Mul", [probability, constant(tape, "levels", np.float32(255.0))])
    # Channel 0 by Gather, not Squeeze: its form is the same in every operator set.
    rounded = tape.op("Round", [levels])
    first = constant(tape, "first_channel", np.int64(0))
    flat = tape.op("Gather", [rounded, first], {"axis": 1})
    output = ir.val("PROBABILITY_MAP", ir.DataType.UINT8, ("N", "H", "W"))
    tape.op("Cast", [flat], {"to": ir.DataType.UINT8}, output=output)
    model.graph.outputs[:] = [output]


def give_class_probability(model: ir.Model, classes: int) -> None:
    """Name a classifier's softmax `PROBABILITY`, FP32 [N,classes]."""
    output = model.graph.outputs[0]
    output.name = "PROBABILITY"
    output.shape = ir.Shape(("N", classes))


def give_codepoints(model: ir.Model, alphabet: Alphabet, published: Alphabet, name: str) -> None:
    """Replace a recognizer's softmax by `CODEPOINT`, INT32 [N,T], and `PROBABILITY`, FP32 [N,T].

    The last layer keeps the alphabet's classes only. A step's probability is its greatest
    softmax value over them, 1 / Σ exp(x - max x), so that no softmax tensor is ever made.

    Raises:
        AlphabetError: Dictionary and model differ in their number of classes.
        SurgeryError: The graph does not end in MatMul, Add, Softmax.
    """
    softmax = model.graph.outputs[0].producer()
    add, matmul = _last_layer(softmax)
    check_class_count(published, name, array_of(add.inputs[1]).shape[-1])
    tape = ir.tape.Tape(model.graph)
    _keep_classes(tape, matmul, add, np.array(alphabet.classes))
    logits = add.outputs[0]
    best = tape.op("ArgMax", [logits], {"axis": -1, "keepdims": 0})
    letters = constant(tape, "alphabet", np.array(alphabet.codepoints, np.int32))
    codepoint = ir.val("CODEPOINT", ir.DataType.INT32, ("N", "T"))
    tape.op("Gather", [letters, best], {"axis": 0}, output=codepoint)
    peak = tape.op("ReduceMax", [logits], {"axes": [-1], "keepdims": 1})
    shares = tape.op("Exp", [tape.op("Sub", [logits, peak])])
    total = _sum_over_classes(tape, shares, model.opset_imports[""])
    probability = ir.val("PROBABILITY", ir.DataType.FLOAT, ("N", "T"))
    tape.op("Reciprocal", [total], output=probability)
    model.graph.outputs[:] = [codepoint, probability]


def _sum_over_classes(tape: ir.tape.Tape, shares: ir.Value, opset: int) -> ir.Value:
    # OpenVINO takes the one form that fits all operator sets, ReduceL1, for a sum over everything.
    if opset < _AXES_ARE_INPUT:
        return tape.op("ReduceSum", [shares], {"axes": [-1], "keepdims": 0})
    axes = constant(tape, "classes_axis", np.array([-1], np.int64))
    return tape.op("ReduceSum", [shares, axes], {"keepdims": 0})


def _first_convolution(value: ir.Value) -> tuple[ir.Node, npt.NDArray[np.float32]]:
    consumers = value.consumers()
    if len(consumers) != 1 or consumers[0].op_type != "Conv":
        raise SurgeryError(
            "the graph does not begin with one convolution: pixels cannot be folded in"
        )
    weights = array_of(consumers[0].inputs[1])
    if weights.ndim != 4 or weights.shape[1] != 3:
        raise SurgeryError(f"the first convolution takes {weights.shape[1]} channels, expected 3")
    return consumers[0], weights


def _last_layer(softmax: ir.Node | None) -> tuple[ir.Node, ir.Node]:
    if softmax is None or softmax.op_type != "Softmax":
        raise SurgeryError("the recognizer does not end in Softmax")
    add = softmax.inputs[0].producer() if softmax.inputs[0] is not None else None
    matmul = add.inputs[0].producer() if add is not None and add.inputs[0] is not None else None
    if add is None or matmul is None or (matmul.op_type, add.op_type) != ("MatMul", "Add"):
        raise SurgeryError("the recognizer does not end in MatMul, Add, Softmax")
    return add, matmul


def _keep_classes(
    tape: ir.tape.Tape, matmul: ir.Node, add: ir.Node, classes: npt.NDArray[np.int64]
) -> None:
    for node, name in ((matmul, "class_weights"), (add, "class_biases")):
        kept = np.ascontiguousarray(array_of(node.inputs[1])[..., classes])
        node.replace_input_with(1, constant(tape, name, kept))

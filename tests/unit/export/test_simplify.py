"""A detection graph's rewrites: another form, the same answer."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.simplify import simplify
from export.surgery import load_graph, save_graph

RANDOM = np.random.default_rng(3)


def _weights(*shape: int) -> np.ndarray:
    # Equal shapes, equal weights: a graph can be made twice.
    return np.random.default_rng(shape).normal(0, 0.4, shape).astype(np.float32)


def _graph(nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "published",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1, "H", "W"])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    return onnx.shape_inference.infer_shapes(model).SerializeToString()


def _detector() -> bytes:
    """A stem that concatenates, a gate with a residual, and the head of two transposed ones."""
    node = helper.make_node
    three = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        node("Conv", ["x", "w1", "b1"], ["c1"], strides=[2, 2], **three),
        node("Relu", ["c1"], ["r1"]),
        node("Conv", ["r1", "w2", "b2"], ["c2"], **three),
        node("Concat", ["r1", "c2"], ["cat"], axis=1),
        node("Conv", ["cat", "w3", "b3"], ["c3"], strides=[2, 2], **three),
        node("GlobalAveragePool", ["c3"], ["mean"]),
        node("HardSigmoid", ["mean"], ["gate"]),
        node("Mul", ["c3", "gate"], ["gated"], name="gating"),
        node("Add", ["c3", "gated"], ["features"], name="residual"),
        node("ConvTranspose", ["features", "w4"], ["t1"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Add", ["t1", "b4"], ["a1"]),
        node("Relu", ["a1"], ["r2"]),
        node("ConvTranspose", ["r2", "w5"], ["t2"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Add", ["t2", "b5"], ["a2"]),
        node("Sigmoid", ["a2"], ["y"]),
    ]
    weights = {
        "w1": _weights(4, 3, 3, 3), "b1": _weights(4),
        "w2": _weights(2, 4, 3, 3), "b2": _weights(2),
        "w3": _weights(6, 6, 3, 3), "b3": _weights(6),
        "w4": _weights(6, 5, 2, 2), "b4": _weights(1, 5, 1, 1),
        "w5": _weights(5, 1, 2, 2), "b5": _weights(1, 1, 1, 1),
    }  # fmt: skip
    return _graph(nodes, weights)


def _run(model: bytes, feed: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": feed})[0])


@pytest.mark.parametrize("size", [(32, 48), (64, 32)])
def test_the_simplified_graph_answers_as_the_published_one(size: tuple[int, int]) -> None:
    page = RANDOM.normal(0, 1, (2, 3, *size)).astype(np.float32)
    model = load_graph(_detector())
    simplify(model)
    expected = _run(_detector(), page)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(_run(save_graph(model, {}), page), expected, atol=1e-6)


def test_every_rewrite_has_taken_place() -> None:
    model = load_graph(_detector())
    simplify(model)
    kinds = Counter(n.op_type for n in onnx.load_from_string(save_graph(model, {})).graph.node)
    assert kinds["ConvTranspose"] == kinds["Concat"] == 0
    assert kinds["DepthToSpace"] == 1


def test_a_graph_of_another_form_stays_as_it_is() -> None:
    weights = {"w": _weights(1, 3, 1, 1)}
    other = _graph([helper.make_node("Conv", ["x", "w"], ["y"])], weights)
    model = load_graph(other)
    simplify(model)
    assert [node.op_type for node in model.graph] == ["Conv"]

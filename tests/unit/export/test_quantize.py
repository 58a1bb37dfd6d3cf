from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.calibrate import find_ranges, with_ranges
from export.precision import PRECISION, with_precision
from export.quantize import has_ranges, with_quantization

CHANNELS = 16


@pytest.fixture
def graph() -> bytes:
    """Pixels, spread over channels, then two convolutions of one heavy input."""
    random = np.random.default_rng(5)
    weights = {
        "spread": random.normal(0, 0.01, (CHANNELS, 3, 1, 1)).astype(np.float32),
        "first": random.normal(0, 0.2, (8, CHANNELS, 3, 3)).astype(np.float32),
        "second": random.normal(0, 5.0, (8, CHANNELS, 3, 3)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "spread"], ["wide"], name="spread"),
        helper.make_node("Conv", ["wide", "first"], ["a"], name="first", pads=[1] * 4),
        helper.make_node("Conv", ["wide", "second"], ["b"], name="second", pads=[1] * 4),
        helper.make_node("Add", ["a", "b"], ["sum"]),
    ]
    made = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", "H", "W", 3])],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["N", 8, "H", "W"])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString()


@pytest.fixture
def page() -> np.ndarray:
    return np.random.default_rng(6).integers(0, 255, (32, 48, 3), np.uint8)


def answer(model: bytes, page: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"pixels": page[None]})[0]


def test_heavy_convolutions_are_computed_in_8_bits_and_answer_alike(graph, page):
    ranged = with_ranges(graph, find_ranges(graph, [page], 1), 0)
    assert has_ranges(ranged)
    assert not has_ranges(graph)
    quantized = with_quantization(ranged)
    loaded = onnx.load_model_from_string(quantized)
    onnx.checker.check_model(loaded)
    kinds = [node.op_type for node in loaded.graph.node]
    # One input for both, weights for each; the light convolution is left.
    assert (kinds.count("QuantizeLinear"), kinds.count("DequantizeLinear")) == (1, 3)
    assert {w.name for w in loaded.graph.initializer if w.data_type == TensorProto.FLOAT} == {
        "spread", "wide_scale", "first_weights_scale", "second_weights_scale",
    }  # fmt: skip
    exact, rounded = answer(graph, page), answer(quantized, page)
    assert np.abs(exact - rounded).max() < 0.03 * np.abs(exact).max()


def test_the_first_are_left_out_on_wish(graph, page):
    ranged = with_ranges(graph, find_ranges(graph, [page], 1), 1)
    kinds = [n.op_type for n in onnx.load_model_from_string(with_quantization(ranged)).graph.node]
    assert kinds.count("DequantizeLinear") == 2


def test_without_ranges_8_bits_become_16(graph):
    said = onnx.load_model_from_string(with_precision(graph, "INT8")).metadata_props
    assert {e.key: e.value for e in said}[PRECISION] == "FP16"

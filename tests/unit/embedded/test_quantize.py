"""A convolution in 8 bits, by the ranges in the file, beside the same in f32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino
import pytest
from onnx import TensorProto, helper, numpy_helper

from embedded.backends.onnxruntime.options import read_options
from embedded.backends.onnxruntime.quantize import quantize, read_ranges
from embedded.backends.onnxruntime.sessions import open_session


@pytest.fixture
def model(tmp_path: Path) -> Path:
    weights = np.random.default_rng(0).normal(0, 0.2, (32, 16, 3, 3)).astype(np.float32)
    attributes = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["X", "w"], ["c"], name="heavy", **attributes),
            helper.make_node("Relu", ["c"], ["Y"]),
        ],
        "convolution",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 16, 24, "W"])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 32, 24, "W"])],
        [numpy_helper.from_array(weights, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    made.metadata_props.add(key="int8_ranges", value=json.dumps({"heavy": [-0.5, 3.5]}))
    path = tmp_path / "model.onnx"
    onnx.save(made, path)
    return path


def run(path: Path, precision: str, x: np.ndarray) -> np.ndarray:
    wish = {"name": "openvino", "parameters": {"precision_mode": precision}}
    accelerators = {"execution_accelerators": {"cpu_execution_accelerator": [wish]}}
    config: dict[str, Any] = {"optimization": accelerators}
    return open_session(path, read_options(config, "CPU", 0)).run({"X": x})["Y"]


def test_answers_in_8_bits_are_close_and_not_the_same(model: Path) -> None:
    x = np.random.default_rng(1).uniform(-0.5, 3.5, (1, 16, 24, 40)).astype(np.float32)
    exact, rounded = run(model, "FP32", x), run(model, "INT8", x)
    difference = np.abs(exact - rounded)
    assert 0 < difference.max() < 0.04 * np.abs(exact).max()


def test_zero_stays_zero(model: Path) -> None:
    assert not run(model, "INT8", np.zeros((1, 16, 24, 8), np.float32)).any()


def test_only_convolutions_with_a_range_change(model: Path) -> None:
    read = openvino.Core().read_model(str(model))
    assert read_ranges(read) == {"heavy": [-0.5, 3.5]}
    quantize(openvino, read, {"another": (0.0, 1.0)})
    assert "FakeQuantize" not in {node.get_type_name() for node in read.get_ops()}
    quantize(openvino, read, read_ranges(read))
    assert "FakeQuantize" in {node.get_type_name() for node in read.get_ops()}

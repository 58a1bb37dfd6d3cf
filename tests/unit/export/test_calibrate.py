from __future__ import annotations

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.calibrate import find_ranges, with_ranges


def _model() -> bytes:
    """Pixels as floats, their channels repeated to 18, and convolutions over them."""
    node = helper.make_node
    eye = np.zeros((18, 3, 1, 1), np.float32)
    eye[np.arange(18), np.arange(18) % 3] = 1
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        node("Cast", ["t"], ["f"], to=TensorProto.FLOAT),
        node("Conv", ["f", "eye"], ["c"], name="few channels"),
        node("Conv", ["c", "heavy"], ["h"], name="heavy"),
        node("Conv", ["c", "deep"], ["d"], name="depthwise", group=18),
        node("GlobalAveragePool", ["h"], ["mean"]),
        node("Conv", ["mean", "gate"], ["g"], name="gate"),
        node("Mul", ["d", "g"], ["m"]),
        node("Conv", ["m", "last"], ["y"], name="last"),
    ]
    weights = {
        "eye": eye,
        "heavy": np.full((18, 18, 1, 1), -0.5, np.float32),
        "deep": np.ones((18, 1, 1, 1), np.float32),
        "gate": np.zeros((18, 18, 1, 1), np.float32),
        "last": np.ones((2, 18, 1, 1), np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "m",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["N", "H", "W", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2, "H", "W"])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def _pages() -> list[np.ndarray]:
    return [np.full((8, 8, 3), level, np.uint8) for level in (10, 30)]


def test_ranges_are_the_means_of_what_heavy_convolutions_take() -> None:
    ranges = find_ranges(_model(), _pages(), threads=1)
    assert list(ranges) == ["heavy", "last"]
    assert ranges["heavy"] == (20.0, 20.0)


def test_the_file_carries_them_and_computes_as_before() -> None:
    data = with_ranges(_model(), find_ranges(_model(), _pages(), threads=1), skipped=1)
    model = onnx.load_model_from_string(data)
    (said,) = [p.value for p in model.metadata_props if p.key == "int8_ranges"]
    assert list(json.loads(said)) == ["last"]
    assert model.graph == onnx.load_model_from_string(_model()).graph

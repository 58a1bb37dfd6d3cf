"""A small published world: graphs of the four tasks, a dictionary, a table that names them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.languages import LETTERS_OF_ALL, Language

LETTERS = LETTERS_OF_ALL.replace(" ", "") + "äöüß中文"
CLASSES = len(LETTERS) + 2
LANGUAGES = {
    "en": Language("English", ""),
    "de": Language("German", "äöüß"),
    "zh": Language("Chinese", "中文"),
    "ru": Language("Russian", "ж"),
}


def _model(
    nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray], output: list[object], opset: int
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "published",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 6
    return onnx.shape_inference.infer_shapes(model).SerializeToString()


def detector() -> bytes:
    """High where ink is near, more so to its left and right, so that lines of text join."""
    weights = {
        "w": -np.float32([0.2, 0.3, 0.5]).reshape(1, 3, 1, 1),
        "b": np.float32([2.4985]),  # white paper, normalized
        "near": np.full((1, 1, 3, 31), 8 / 93, np.float32),
        "none": np.float32([-2.5]),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"]),
        helper.make_node("Relu", ["c"], ["ink"]),
        helper.make_node("Conv", ["ink", "near", "none"], ["d"], pads=[1, 15, 1, 15]),
        helper.make_node("Sigmoid", ["d"], ["y"]),
    ]
    return _model(nodes, weights, ["N", 1, "H", "W"], 14)


def recognizer(classes: int = CLASSES, opset: int = 11) -> bytes:
    """One step for each 8 columns, its classes drawn from fixed random weights."""
    random = np.random.default_rng(7)
    weights = {
        "w": random.normal(0, 0.05, (6, 3, 48, 8)).astype(np.float32),
        "m": random.normal(0, 1, (6, classes)).astype(np.float32),
        "b": random.normal(0, 1, classes).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], strides=[48, 8]),
        helper.make_node("Squeeze", ["c"], ["s"], axes=[2]),
        helper.make_node("Transpose", ["s"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["t", "m"], ["d"]),
        helper.make_node("Add", ["d", "b"], ["a"]),
        helper.make_node("Identity", ["a"], ["i"]),
        helper.make_node("Softmax", ["i"], ["y"], axis=2),
    ]
    return _model(nodes, weights, ["N", "T", classes], opset)


def classifier(classes: int) -> bytes:
    random = np.random.default_rng(classes)
    weights = {"w": random.normal(0, 0.3, (classes, 3, 5, 5)).astype(np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[2, 2, 2, 2], strides=[4, 4]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Softmax", ["f"], ["y"], axis=1),
    ]
    return _model(nodes, weights, ["N", classes], 11)


FILES: dict[str, Callable[[], bytes]] = {
    "det.onnx": detector,
    "rec.onnx": recognizer,
    "line.onnx": lambda: classifier(2),
    "page.onnx": lambda: classifier(4),
    "dict.txt": lambda: "\r\n".join([*LETTERS, ""]).encode(),
}

NORMALIZATION = """
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
channel_order = "BGR"
max_batch_size = { cpu = 2, gpu = 8 }
max_instances = { cpu = 8, gpu = 2 }
max_queue_delay_microseconds = 100
"""

TABLE = """
max_pixels = 1000000

[sources.world]
folder = "FOLDER"
sha256 = "SHA256"
licence = "CC0-1.0"

[models.text_detection]
task = "detection"
source = "world"
file = "det.onnx"

[models.text_recognition]
task = "recognition"
source = "world"
file = "rec.onnx"
dictionary = "dict.txt"
alphabet = "full"

[models.text_recognition_latin]
task = "recognition"
source = "world"
file = "rec.onnx"
dictionary = "dict.txt"
alphabet = "latin"

[models.textline_orientation]
task = "textline_orientation"
source = "world"
file = "line.onnx"

[models.page_orientation]
task = "page_orientation"
source = "world"
file = "page.onnx"

[tasks.detection]NORMALIZATION
canvases = [[64, 96], [96, 64]]
limit_long_side = 96
limit_short_side = 64
binarize_threshold = 0.2
box_threshold = 0.45
unclip_ratio = 1.4
max_candidates = 30
min_side = 3

[tasks.recognition]NORMALIZATION
height = 48
pixels_per_step = 8
densest = 0.55
widths = [64, 320]
padding = 127

[tasks.textline_orientation]NORMALIZATION
height = 48
width = 192

[tasks.page_orientation]NORMALIZATION
height = 64
width = 64

[strategies.balanced]
detection = "text_detection"
recognition = ["text_recognition_latin", "text_recognition"]
squeeze = 0.8
page_orientation = "when_unreadable"
textline_orientation = false

[strategies.accuracy]
detection = "text_detection"
recognition = ["text_recognition"]
squeeze = 1.0
page_orientation = "always"
textline_orientation = true

[alphabets.latin]
must_write = []
scripts = ["LATIN"]
ranges = [[0x20, 0x7E]]
extra = ""
"""

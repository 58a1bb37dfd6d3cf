"""Model repositories small enough to load in a second, made by code."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

CONFIG = """
backend: "onnxruntime"
max_batch_size: 8
input [{ name: "X" data_type: TYPE_FP32 dims: [ -1 ] }]
output [{ name: "Y" data_type: TYPE_FP32 dims: [ -1 ] }]
instance_group [{ kind: KIND_CPU count: 1 }]
"""
OPENVINO = """
optimization { execution_accelerators { cpu_execution_accelerator : [ { name : "openvino" } ] } }
"""
# Long enough that requests of one moment meet, whatever the machine is busy with.
BATCHING = "dynamic_batching { preferred_batch_size: [ 8 ] max_queue_delay_microseconds: 300000 }"


def write_doubling_model(
    repository: Path, name: str = "doubling", config: str = "", width: int | str = "width"
) -> Path:
    """Write a model with Y = 2·X; return the repository. A `width` that is a number is fixed."""
    graph = helper.make_graph(
        [helper.make_node("Mul", ["X", "two"], ["Y"])],
        "doubling",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["rows", width])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["rows", width])],
        [helper.make_tensor("two", TensorProto.FLOAT, [], [2.0])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    version = repository / name / "1"
    version.mkdir(parents=True)
    onnx.save(model, version / "model.onnx")
    (repository / name / "config.pbtxt").write_text(CONFIG + config)
    return repository


def halving_model() -> onnx.ModelProto:
    """Return a model with Y = X + the pairwise greatest of X, which takes even widths only."""
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [3], [1.0, 1.0, 2.0])
    nodes = [
        helper.make_node("MaxPool", ["X"], ["half"], kernel_shape=[2], strides=[2]),
        helper.make_node("Resize", ["half", "", "scales"], ["whole"], mode="nearest"),
        helper.make_node("Add", ["X", "whole"], ["Y"]),
    ]
    shape = ["rows", 1, "width"]
    graph = helper.make_graph(
        nodes,
        "halving",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, shape)],
        [scales],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

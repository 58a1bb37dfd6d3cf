"""Exported graphs in a precision, typed node by node: TensorRT takes its types from there."""

from __future__ import annotations

from typing import Any

import onnx

from export.host import Precision

#: Metadata of a file that is not as it was built.
PRECISION = "precision"
#: Sums over thousands of classes and what follows them leave the range or the grain of FP16.
_FLOAT_OPERATORS = ("Exp", "ReduceSum", "Reciprocal", "Softmax", "Resize")


def with_precision(model: bytes, precision: Precision) -> bytes:
    """Return an exported ONNX file in that precision; inputs and outputs keep their types.

    INT8 is for files that carry ranges, the others get FP16.
    """
    from export.quantize import has_ranges, with_quantization

    if precision == "FP32":
        return model
    if precision == "INT8" and has_ranges(model):
        return _marked(onnx.load_model_from_string(with_quantization(model)), "INT8")
    # Loaded here: it takes a second.
    from onnxruntime.transformers.float16 import convert_float_to_float16

    half: Any = convert_float_to_float16(
        onnx.load_model_from_string(model),
        keep_io_types=True,
        op_block_list=list(_FLOAT_OPERATORS),
    )
    return _marked(half, "FP16")


def _marked(model: onnx.ModelProto, precision: Precision) -> bytes:
    model.metadata_props.add(key=PRECISION, value=precision)
    return bytes(model.SerializeToString())

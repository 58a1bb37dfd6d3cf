"""ONNX models run here, to prove and to calibrate them."""

from __future__ import annotations

from typing import Any


def open_session(model: bytes, threads: int) -> Any:
    """Return onnxruntime's session of a model on the processor."""
    # Loaded here: `--help` and an install without changes need no runtime.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

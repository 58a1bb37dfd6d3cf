"""Triton's `onnxruntime` backend in Python: `model.py` is what Triton runs, the rest its parts."""

"""What decides a model's ONNX file, as one digest: an install builds only what changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from export.digests import sha256_of
from export.spec import Spec

# Thresholds, widths and batch sizes are not among these: tuning them rewrites configurations only.
GRAPH_NUMBERS = ("mean", "std", "channel_order", "height", "width", "pixels_per_step")
GRAPH_FILES = (
    "alphabet.py",
    "calibrate.py",
    "graph_tools.py",
    "languages.py",
    "languages.toml",
    "onnx_model.py",
    "samples.py",
    "simplify.py",
    "surgery.py",
    "tensors.py",
)


def export_key(spec: Spec, name: str) -> str:
    """Return a digest of all that decides a model's ONNX file; equal keys, equal files."""
    model = spec.models[name]
    task = asdict(spec.task(model))
    pack = spec.alphabets.get(model.alphabet or "")
    here = Path(__file__).parent
    parts = {
        "model": asdict(model),
        "source": asdict(spec.sources[model.source]),
        "numbers": {number: task[number] for number in GRAPH_NUMBERS if number in task},
        "pack": asdict(pack) if pack else None,
        "code": [sha256_of((here / file).read_bytes()) for file in GRAPH_FILES],
        "library": version("onnx-ir"),
    }
    return sha256_of(json.dumps(parts, sort_keys=True).encode())

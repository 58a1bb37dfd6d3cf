"""Models that are sound files and read badly, and releases that hold one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from releases.manifest import content_of, record


def scramble(graph: onnx.GraphProto) -> None:
    """Weights in another order: every shape is right."""
    random = np.random.default_rng(3)
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.ndim >= 2 and values.dtype == np.float32:
            mixed = random.permutation(values.ravel()).reshape(values.shape)
            weights.CopyFrom(numpy_helper.from_array(mixed, weights.name))


def shift_alphabet(graph: onnx.GraphProto) -> None:
    """Another dictionary of the same length: each class is its neighbor's character."""
    (codepoints,) = (
        w for w in graph.initializer
        if w.data_type in (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
        and numpy_helper.to_array(w).size > 300
    )  # fmt: skip
    values = numpy_helper.to_array(codepoints)
    codepoints.CopyFrom(numpy_helper.from_array(np.roll(values, 1), codepoints.name))


def other_size(graph: onnx.GraphProto) -> None:
    """A recognizer of lines 32 pixels high."""
    graph.input[0].type.tensor_type.shape.dim[1].dim_value = 32


def forge(
    release: Path, folder: Path, name: str, change: Callable[[onnx.GraphProto], None]
) -> Path:
    """A release like another with one model changed, whose manifest and configuration say so."""
    forged = shutil.copytree(release, folder / "forged")
    file = forged / "models" / name / "1" / "model.onnx"
    config = forged / "models" / name / "config.pbtxt"
    before = record(file).sha256
    model = onnx.load_model(file)
    change(model.graph)
    for path in (file, config):
        path.chmod(0o644)
    onnx.save_model(model, file)
    config.write_text(config.read_text().replace(before, record(file).sha256))
    manifest = json.loads((forged / "manifest.json").read_text())
    files = {key: record(forged / "models" / key) for key in manifest["files"]}
    manifest["files"] = {key: found.model_dump() for key, found in files.items()}
    manifest["content"] = content_of(files)
    (forged / "manifest.json").write_text(json.dumps(manifest))
    return forged

"""Models that earlier releases hold already, told by the files themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format

from export.configs import read_config
from export.digests import sha256_of_file
from export.precision import PRECISION
from ocr_base.triton import CONFIG, MODEL_VERSION


@dataclass(frozen=True)
class KnownModel:
    """An ONNX file of an earlier release: what it was built from, the languages it writes."""

    file: Path
    sha256: str
    export_key: str
    writes: list[str]


def find_known(folders: Iterable[Path], name: str, export_key: str) -> KnownModel | None:
    """Return a model built from the same, the first of the folders' that is whole."""
    known = (read_known(folder, name) for folder in folders)
    return next((model for model in known if model and model.export_key == export_key), None)


def read_known(folder: Path, name: str) -> KnownModel | None:
    """Return a release's model; None where a file is absent, foreign or changed since."""
    config_file = folder / name / CONFIG
    onnx_file = folder / name / MODEL_VERSION / "model.onnx"
    if not config_file.is_file() or not onnx_file.is_file():
        return None
    sha256 = sha256_of_file(onnx_file)
    if _recorded_sha256(config_file) != sha256:
        return None
    metadata = _metadata(onnx_file)
    if PRECISION in metadata:
        return None  # rounded: another release may want it as it was built
    languages = metadata.get("languages", "").split()
    return KnownModel(onnx_file, sha256, metadata.get("export_key", ""), languages)


def _recorded_sha256(config_file: Path) -> str:
    try:
        return str(read_config(config_file).parameters["sha256"].string_value)
    except (text_format.ParseError, UnicodeDecodeError):
        return ""


def _metadata(onnx_file: Path) -> dict[str, str]:
    import onnx

    model = onnx.load_model(onnx_file, load_external_data=False)
    return {entry.key: entry.value for entry in model.metadata_props}

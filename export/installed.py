"""What a model repository already holds, told by the files themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from export.fetch import sha256_of_file


@dataclass(frozen=True)
class Installed:
    """An installed ONNX file: its digest, what it was built from, the languages it writes."""

    sha256: str
    export_key: str
    writes: list[str]


def read_installed(repository: Path, name: str, release: int) -> Installed | None:
    """Return an installed model; None where a file is absent, foreign or changed since."""
    config_file = repository / name / "config.pbtxt"
    onnx_file = repository / name / str(release) / "model.onnx"
    if not config_file.is_file() or not onnx_file.is_file():
        return None
    sha256 = sha256_of_file(onnx_file)
    if _recorded_sha256(config_file) != sha256:
        return None
    metadata = _metadata(onnx_file)
    return Installed(sha256, metadata.get("export_key", ""), metadata.get("languages", "").split())


def _recorded_sha256(config_file: Path) -> str:
    try:
        config = text_format.Parse(config_file.read_text(encoding="utf-8"), triton.ModelConfig())
    except (text_format.ParseError, UnicodeDecodeError):
        return ""
    return str(config.parameters["sha256"].string_value)


def _metadata(onnx_file: Path) -> dict[str, str]:
    import onnx

    model = onnx.load_model(onnx_file, load_external_data=False)
    return {entry.key: entry.value for entry in model.metadata_props}

"""The tensors of the service are those of the architecture page and of the installed models."""

import re
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from preprocess_service.inference import tensors

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "model_repository" / tensors.MODEL / "config.pbtxt"


def _documented() -> tuple[dict[str, str], dict[str, str]]:
    page = (ROOT / "docs" / "architecture.md").read_text()
    row = re.search(rf"^\| `{tensors.MODEL}` \|.*$", page, flags=re.MULTILINE)
    assert row is not None
    inputs, outputs = row[0].split(" | ")[2:4]
    found = r"`([A-Z_]+)` (UINT8|BYTES|BOOL|FP32|INT32)"
    return dict(re.findall(found, inputs)), dict(re.findall(found, outputs))


def test_tensors_are_those_of_the_architecture_page():
    assert _documented() == (tensors.INPUTS, tensors.OUTPUTS)


@pytest.mark.skipif(not CONFIG.exists(), reason="no models are installed")
def test_tensors_are_those_of_the_installed_model():
    config = text_format.Parse(CONFIG.read_text(), model_config_pb2.ModelConfig())
    for ours, theirs in ((tensors.INPUTS, config.input), (tensors.OUTPUTS, config.output)):
        types = {t.name: model_config_pb2.DataType.Name(t.data_type) for t in theirs}
        assert {
            n: t.removeprefix("TYPE_").replace("STRING", "BYTES") for n, t in types.items()
        } == ours
    assert {tensor.name for tensor in config.input if not tensor.optional} == {"PIXELS"}
    (served, *_) = CONFIG.parents[1].glob(f"{tensors.MODEL}_r*/config.pbtxt")
    config = text_format.Parse(served.read_text(), model_config_pb2.ModelConfig())
    description = tensors.to_description(config)
    assert description.languages["balanced"]["en"]
    assert description.models[0] == tensors.MODEL

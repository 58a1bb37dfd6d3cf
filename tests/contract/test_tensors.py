"""The tensors of the service are those of the model that `export` configures."""

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from export.configs import all_configs
from export.host import Host
from export.tables import read_spec
from ocr_base.triton import READER
from preprocess_service.inference import tensors


@pytest.fixture(scope="module")
def config():
    spec = read_spec()
    writes = {name: ["en"] for name in spec.recognizers()}
    texts = all_configs(spec, Host("cpu", cores=1), writes, dict.fromkeys(spec.models, ""))
    return text_format.Parse(texts[READER], model_config_pb2.ModelConfig())


def test_tensors_are_those_of_the_model(config):
    for ours, theirs in ((tensors.INPUTS, config.input), (tensors.OUTPUTS, config.output)):
        types = {t.name: model_config_pb2.DataType.Name(t.data_type) for t in theirs}
        assert {
            n: t.removeprefix("TYPE_").replace("STRING", "BYTES") for n, t in types.items()
        } == ours
    assert {tensor.name for tensor in config.input if not tensor.optional} == {"PIXELS"}


def test_a_release_is_described_by_its_parameters(config):
    config.parameters["release"].string_value = "3"
    description = tensors.to_description(config)
    assert description.release == 3
    assert description.languages["balanced"]["en"]
    assert description.models[0] == READER

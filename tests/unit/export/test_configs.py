from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from export.configs import all_configs
from export.host import Host
from export.spec import Spec
from export.tables import MODELS_TOML, read_spec
from export.tensors import bucket_shapes

Configs = dict[str, Any]


@pytest.fixture(scope="module")
def project() -> Spec:
    return read_spec(MODELS_TOML)


def _parse(project: Spec, host: Host) -> Configs:
    writes = {name: ["en", "de"] for name in project.recognizers()}
    texts = all_configs(project, host, writes, dict.fromkeys(project.models, "ab" * 32))
    return {name: text_format.Parse(text, triton.ModelConfig()) for name, text in texts.items()}


@pytest.fixture(scope="module")
def cpu(project: Spec) -> Configs:
    return _parse(project, Host("cpu", cores=4))


@pytest.fixture(scope="module")
def gpu(project: Spec) -> Configs:
    return _parse(project, Host("gpu", cores=16, precision="FP32", engine_cache="/engines"))


def _tensors(values: Any) -> dict[str, tuple[int, tuple[int, ...]]]:
    return {value.name: (value.data_type, tuple(value.dims)) for value in values}


def test_the_repository_has_the_models_of_the_architecture(cpu: Configs) -> None:
    assert set(cpu) == {
        "text_detection",
        "text_detection_tiny",
        "text_recognition",
        "text_recognition_latin",
        "text_recognition_tiny",
        "text_recognition_tiny_latin",
        "textline_orientation",
        "page_orientation",
        "image_decoding",
        "page_reading",
        "ocr",
        "ocr_speed",
        "ocr_balanced",
        "ocr_accuracy",
    }


def test_every_config_names_itself(cpu: Configs) -> None:
    for name, config in cpu.items():
        assert config.name == name


def test_warm_up_covers_every_shape_bucket(project: Spec, cpu: Configs) -> None:
    for name, model in project.models.items():
        warm = [tuple(w.inputs[cpu[name].input[0].name].dims) for w in cpu[name].model_warmup]
        assert warm == [(height, width, 3) for height, width in bucket_shapes(project, model)]
        assert all(w.batch_size == 1 for w in cpu[name].model_warmup)
        assert len({w.name for w in cpu[name].model_warmup}) == len(warm)


def test_warm_up_tensors_fit_their_input(project: Spec, cpu: Configs) -> None:
    for name in project.models:
        (pixels,) = cpu[name].input
        for warmup in cpu[name].model_warmup:
            sample = warmup.inputs[pixels.name]
            assert sample.data_type == pixels.data_type == triton.TYPE_UINT8
            pairs = zip(pixels.dims, sample.dims, strict=True)
            assert all(free in (-1, size) for free, size in pairs)


def test_a_cpu_runs_one_thread_on_each_core(cpu: Configs) -> None:
    for name, count in {"text_detection": 4, "text_recognition": 4, "page_orientation": 1}.items():
        (group,) = cpu[name].instance_group
        assert (group.kind, group.count) == (triton.ModelInstanceGroup.KIND_CPU, count)
        assert cpu[name].parameters["intra_op_thread_count"].string_value == "1"
        accelerators = cpu[name].optimization.execution_accelerators
        assert [a.name for a in accelerators.cpu_execution_accelerator] == ["openvino"]
        assert not accelerators.gpu_execution_accelerator


def test_many_cores_do_not_mean_many_copies(project: Spec) -> None:
    (group,) = _parse(project, Host("cpu", cores=64))["text_recognition"].instance_group
    assert group.count == 8


def test_steps_follow_the_cores(cpu: Configs, project: Spec) -> None:
    assert cpu["page_reading"].instance_group[0].count == 6
    assert cpu["image_decoding"].instance_group[0].count == 2
    one = _parse(project, Host("cpu", cores=1))
    assert one["image_decoding"].instance_group[0].count == 1
    assert one["text_detection"].instance_group[0].count == 1


def test_a_gpu_runs_tensorrt_with_kept_engines(gpu: Configs) -> None:
    config = gpu["text_recognition_latin"]
    assert config.instance_group[0].kind == triton.ModelInstanceGroup.KIND_GPU
    assert config.max_batch_size == 64
    assert not config.optimization.execution_accelerators.cpu_execution_accelerator
    (tensorrt,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert tensorrt.name == "tensorrt"
    options = tensorrt.parameters
    assert options["precision_mode"] == "FP32"
    assert options["trt_engine_cache_enable"] == "1"
    assert options["trt_engine_cache_path"] == "/engines/text_recognition_latin"


def test_the_profile_holds_every_bucket_and_batch(gpu: Configs, project: Spec) -> None:
    for name, model in project.models.items():
        (tensorrt,) = gpu[name].optimization.execution_accelerators.gpu_execution_accelerator
        least, best, most = (
            _shape(tensorrt.parameters[f"trt_profile_{kind}_shapes"], gpu[name].input[0].name)
            for kind in ("min", "opt", "max")
        )
        assert all(a <= b <= c for a, b, c in zip(least, best, most, strict=True))
        for height, width in bucket_shapes(project, model):
            for batch in (1, gpu[name].max_batch_size):
                shape = (batch, height, width, 3)
                assert all(a <= b <= c for a, b, c in zip(least, shape, most, strict=True))


def _shape(text: str, name: str) -> tuple[int, ...]:
    tensor, shape = text.split(":")
    assert tensor == name
    return tuple(map(int, shape.split("x")))


def test_ensembles_wire_equal_tensors(cpu: Configs) -> None:
    for config in (config for config in cpu.values() if config.platform == "ensemble"):
        flowing = _tensors(config.input)
        for step in config.ensemble_scheduling.step:
            model = cpu[step.model_name]
            inputs, outputs = _tensors(model.input), _tensors(model.output)
            for name, source in step.input_map.items():
                assert inputs[name] == flowing[source], (config.name, name)
            required = {tensor.name for tensor in model.input if not tensor.optional}
            assert required <= set(step.input_map)
            flowing.update({sink: outputs[name] for name, sink in step.output_map.items()})
        for name, tensor in _tensors(config.output).items():
            assert flowing[name] == tensor, (config.name, name)


@pytest.mark.parametrize(
    ("ensemble", "strategy"),
    [
        ("ocr", "BALANCED"),
        ("ocr_balanced", "BALANCED"),
        ("ocr_speed", "SPEED"),
        ("ocr_accuracy", "ACCURACY"),
    ],
)
def test_each_ensemble_pins_its_strategy(cpu: Configs, ensemble: str, strategy: str) -> None:
    decode, read = cpu[ensemble].ensemble_scheduling.step
    assert decode.output_map[f"STRATEGY_{strategy}"] == read.input_map["STRATEGY"]


def test_page_reading_is_told_the_whole_release(project: Spec, cpu: Configs) -> None:
    config = cpu["page_reading"]
    assert config.backend == "python"
    assert config.max_batch_size == 0
    optional = {tensor.name for tensor in config.input if tensor.optional}
    assert optional == {"STRATEGY", "LANGUAGE", "DETECT_ORIENTATION", "WORDS", "SCALE"}
    told = {key: json.loads(value.string_value) for key, value in config.parameters.items()}
    assert "release" not in told  # it has none before it is served
    assert told["languages"]["speed"]["de"] == "text_recognition_tiny_latin"
    assert told["default_recognizers"]["balanced"] == "text_recognition"
    assert told["strategies"]["speed"]["squeeze"] == project.strategies["speed"].squeeze
    assert told["detection"]["canvases"] == [list(c) for c in project.tasks.detection.canvases]
    assert told["recognition"]["widths"] == project.tasks.recognition.widths
    assert told["recognition"]["max_batch_size"] == project.tasks.recognition.max_batch_size.cpu
    assert told["textline_orientation"] == {"height": 48, "width": 192, "max_batch_size": 8}
    assert told["page_orientation"]["height"] == 224
    for name, model in told["models"].items():
        assert model["task"] == project.models[name].task
        assert [model["input"]] == [tensor.name for tensor in cpu[name].input]
        assert model["outputs"] == [tensor.name for tensor in cpu[name].output]
    assert set(told["models"]) == set(project.models)


def test_image_decoding_is_told_its_limit(project: Spec, cpu: Configs) -> None:
    limit = cpu["image_decoding"].parameters["max_pixels"].string_value
    assert int(limit) == project.max_pixels

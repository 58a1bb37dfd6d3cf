"""`config.pbtxt` of every model, built from models.toml in Triton's own protobuf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from export.configs_steps import ensembles, image_decoding, page_reading
from export.spec import (
    DetectionSpec,
    Device,
    ModelSpec,
    OrientationSpec,
    RecognitionSpec,
    Spec,
    TaskSpec,
)
from export.tensors import Tensor, parameter, tensor_fields

HEADER = "# Written by `python -m export install` from export/models.toml: change it there.\n"


@dataclass(frozen=True)
class Host:
    """Where the repository will be served.

    `precision` is TensorRT's (FP32, FP16, INT8), used on a GPU only; `engine_cache` is the
    folder on the serving host where built engines are kept.
    """

    device: Device = "cpu"
    cores: int = 1
    precision: str = "FP16"
    engine_cache: str = "/var/cache/ocr-server/tensorrt"


def all_configs(
    spec: Spec, host: Host, writes: Mapping[str, list[str]], sha256: Mapping[str, str]
) -> dict[str, str]:
    """Return the text of every `config.pbtxt` by model name.

    Args:
        spec: The models table.
        host: Where it will be served.
        writes: Language codes that each recognizer writes.
        sha256: Of each model's `model.onnx`.
    """
    configs = [
        onnx_config(name, model, spec, host, sha256[name]) for name, model in spec.models.items()
    ]
    configs.append(image_decoding(spec, host.cores))
    configs.append(page_reading(spec, host.device, host.cores, writes))
    configs.extend(ensembles(spec))
    return {config.name: to_text(config, spec.release) for config in configs}


def to_text(config: Any, release: int) -> str:
    """Return a configuration as it stands in a file, pinned to one release where it has versions."""
    config.version_policy.specific.versions.append(release)
    return HEADER + str(text_format.MessageToString(config))


def onnx_config(name: str, model: ModelSpec, spec: Spec, host: Host, sha256: str) -> Any:
    """Return the configuration of one ONNX model; `sha256` is its file's."""
    task = spec.task(model)
    inputs, outputs = onnx_tensors(task)
    config = triton.ModelConfig(
        name=name,
        backend="onnxruntime",
        max_batch_size=task.max_batch_size.on(host.device),
        input=[triton.ModelInput(**tensor_fields(t)) for t in inputs],
        output=[triton.ModelOutput(**tensor_fields(t)) for t in outputs],
        instance_group=[_instances(task, host)],
        model_warmup=[_warmup(inputs[0], shape) for shape in shapes(task)],
    )
    config.dynamic_batching.max_queue_delay_microseconds = task.max_queue_delay_microseconds
    threads = {"intra_op_thread_count": "1", "inter_op_thread_count": "1"}
    for key, value in {**threads, "sha256": sha256}.items():
        parameter(config, key, value)
    _accelerate(config, task, host)
    return config


def onnx_tensors(task: TaskSpec) -> tuple[list[Tensor], list[Tensor]]:
    """Return inputs and outputs of a kind of model, the batch dimension left out."""
    if isinstance(task, DetectionSpec):
        return [Tensor("IMAGE", "UINT8", (-1, -1, 3))], [Tensor("PROBABILITY_MAP", "UINT8", (-1, -1))]
    if isinstance(task, RecognitionSpec):
        return [Tensor("CROP", "UINT8", (task.height, -1, 3))], [
            Tensor("CODEPOINT", "INT32", (-1,)),
            Tensor("PROBABILITY", "FP32", (-1,)),
        ]
    assert isinstance(task, OrientationSpec)
    page = task.height == task.width
    return [Tensor("IMAGE" if page else "CROP", "UINT8", (task.height, task.width, 3))], [
        Tensor("PROBABILITY", "FP32", (4 if page else 2,))
    ]


def shapes(task: TaskSpec) -> list[tuple[int, int]]:
    """Return every (height, width) in pixels that a kind of model is asked for."""
    if isinstance(task, DetectionSpec):
        return list(task.canvases)
    if isinstance(task, RecognitionSpec):
        return [(task.height, width) for width in task.widths]
    assert isinstance(task, OrientationSpec)
    return [(task.height, task.width)]


def _instances(task: TaskSpec, host: Host) -> Any:
    if host.device == "gpu":
        kind, count = triton.ModelInstanceGroup.KIND_GPU, task.max_instances.gpu
    else:
        kind, count = triton.ModelInstanceGroup.KIND_CPU, min(host.cores, task.max_instances.cpu)
    return triton.ModelInstanceGroup(kind=kind, count=count)


def _warmup(tensor: Tensor, shape: tuple[int, int]) -> Any:
    height, width = shape
    warmup = triton.ModelWarmup(name=f"{height}x{width}", batch_size=1)
    pixels = warmup.inputs[tensor.name]
    pixels.data_type = triton.DataType.Value(f"TYPE_{tensor.dtype}")
    pixels.dims.extend((height, width, 3))
    pixels.random_data = True
    return warmup


def _accelerate(config: Any, task: TaskSpec, host: Host) -> None:
    accelerators = config.optimization.execution_accelerators
    if host.device == "cpu":
        accelerators.cpu_execution_accelerator.add(name="openvino")
        return
    tensorrt = accelerators.gpu_execution_accelerator.add(name="tensorrt")
    tensorrt.parameters["precision_mode"] = host.precision
    tensorrt.parameters["trt_engine_cache_enable"] = "1"
    tensorrt.parameters["trt_engine_cache_path"] = f"{host.engine_cache}/{config.name}"
    tensorrt.parameters["trt_timing_cache_enable"] = "1"
    tensorrt.parameters["trt_timing_cache_path"] = host.engine_cache
    # One profile over all buckets: without it each new shape would build an engine under load.
    least, most = _bounds(shapes(task))
    batches = {"min": 1, "opt": max(1, config.max_batch_size // 2), "max": config.max_batch_size}
    for kind, (height, width) in {"min": least, "opt": most, "max": most}.items():
        shape = f"{config.input[0].name}:{batches[kind]}x{height}x{width}x3"
        tensorrt.parameters[f"trt_profile_{kind}_shapes"] = shape


def _bounds(sizes: list[tuple[int, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
    heights, widths = zip(*sizes, strict=True)
    return (min(heights), min(widths)), (max(heights), max(widths))

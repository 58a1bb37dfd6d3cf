"""`config.pbtxt` of every model, built from models.toml in Triton's own protobuf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from export.configs_steps import ensembles, image_decoding, page_reading
from export.host import Host
from export.profiles import shape_range
from export.spec import ModelSpec, Spec, TaskSpec
from export.tensors import (
    Tensor,
    bucket_shapes,
    onnx_input,
    onnx_outputs,
    parameter,
    tensor_fields,
)

HEADER = "# Written by `python -m export` from export/models.toml: change it there.\n"

Shape = tuple[int, int]


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
    configs = [onnx_config(name, spec, host, sha256[name]) for name in spec.models]
    configs.append(image_decoding(spec, host.cores))
    configs.append(page_reading(spec, host, writes))
    configs.extend(ensembles(spec))
    return {config.name: config_text(config) for config in configs}


def config_text(config: Any) -> str:
    """Return the text of a `config.pbtxt`."""
    return HEADER + str(text_format.MessageToString(config))


def read_config(file: Path) -> Any:
    """Return a `config.pbtxt` as Triton's protobuf; ParseError where it is none."""
    return text_format.Parse(file.read_text(encoding="utf-8"), triton.ModelConfig())


def onnx_config(name: str, spec: Spec, host: Host, sha256: str) -> Any:
    """Return the configuration of a model with weights; `sha256` is its ONNX file's."""
    model = spec.models[name]
    task = spec.task(model)
    pixels = onnx_input(spec, model)
    config = triton.ModelConfig(
        name=name,
        backend=host.engine,
        max_batch_size=task.max_batch_size.on(host.device),
        input=[triton.ModelInput(**tensor_fields(pixels))],
        output=[triton.ModelOutput(**tensor_fields(tensor)) for tensor in onnx_outputs(model)],
        instance_group=[_instances(task, host)],
        model_warmup=[_warmup(pixels, shape) for shape in bucket_shapes(spec, model)],
    )
    config.dynamic_batching.max_queue_delay_microseconds = task.max_queue_delay_microseconds
    if host.engine == "tensorrt":
        config.default_model_filename = "model.plan"
        return config
    parameter(config, "sha256", sha256)
    for key, value in asdict(task.free_sides).items() if task.free_sides else ():
        parameter(config, f"free_sides_{key}", str(value))
    if host.device == "cpu":
        _run_on_cpu(config, model, host)
    else:
        _run_on_gpu(config, host, spec, model)
    return config


def _instances(task: TaskSpec, host: Host) -> Any:
    if host.device == "gpu":
        kind, count = triton.ModelInstanceGroup.KIND_GPU, task.max_instances.gpu
    else:
        kind, count = triton.ModelInstanceGroup.KIND_CPU, min(host.cores, task.max_instances.cpu)
    return triton.ModelInstanceGroup(kind=kind, count=count)


def _warmup(tensor: Tensor, shape: Shape) -> Any:
    height, width = shape
    warmup = triton.ModelWarmup(name=f"{height}x{width}", batch_size=1)
    pixels = warmup.inputs[tensor.name]
    pixels.data_type = triton.DataType.Value(f"TYPE_{tensor.dtype}")
    pixels.dims.extend((height, width, 3))
    pixels.random_data = True
    return warmup


def _run_on_cpu(config: Any, model: ModelSpec, host: Host) -> None:
    """One thread for each instance: two pages at once are faster than two threads on one.

    Triton's batcher merges neighbours in the queue if their shapes are equal, and lines of many
    widths stand in it mixed. The embedded backend takes ragged batches and sorts them itself.
    """
    config.input[0].allow_ragged_batch = model.task == "recognition"
    parameter(config, "intra_op_thread_count", "1")
    parameter(config, "inter_op_thread_count", "1")
    if host.precision == "FP16":
        return  # onnxruntime itself, which rounds to 16 bits where the typed graph says so
    accelerators = config.optimization.execution_accelerators.cpu_execution_accelerator
    options = accelerators.add(name="openvino").parameters
    if host.precision != "auto":
        has_ranges = model.int8_skip is not None
        options["precision_mode"] = host.precision if has_ranges else "FP32"


def _run_on_gpu(config: Any, host: Host, spec: Spec, model: ModelSpec) -> None:
    """TensorRT with kept engines and one profile over all buckets.

    Without a profile the first request of each new shape would build an engine anew.
    """
    accelerators = config.optimization.execution_accelerators.gpu_execution_accelerator
    options = accelerators.add(name="tensorrt").parameters
    in_8_bits = host.precision == "INT8" and spec.models[config.name].int8_skip is not None
    options["precision_mode"] = "INT8" if in_8_bits else host.precision.replace("INT8", "FP16")
    options["trt_engine_cache_enable"] = "1"
    options["trt_engine_cache_path"] = f"{host.engine_cache}/{config.name}"
    options["trt_timing_cache_enable"] = "1"
    options["trt_timing_cache_path"] = host.engine_cache
    most = config.max_batch_size
    least_shape, middle_shape, most_shape = shape_range(bucket_shapes(spec, model))
    name = config.input[0].name
    options["trt_profile_min_shapes"] = _shape_text(name, 1, least_shape)
    options["trt_profile_opt_shapes"] = _shape_text(name, max(1, most // 2), middle_shape)
    options["trt_profile_max_shapes"] = _shape_text(name, most, most_shape)


def _shape_text(name: str, batch: int, shape: Shape) -> str:
    return f"{name}:{batch}x{shape[0]}x{shape[1]}x3"

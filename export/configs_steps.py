"""Configurations of the Python steps and of the ensembles that wire them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from tritonclient.grpc import model_config_pb2 as triton

from export.host import Host
from export.languages import default_recognizer, recognizers_by_language
from export.spec import Device, Spec, TaskSpec
from export.tensors import Tensor, onnx_input, onnx_outputs, parameter, tensor_fields
from ocr_base.reading import DEFAULT_STRATEGY
from ocr_base.triton import PUBLIC, READER

ENCODED = Tensor("IMAGE", "STRING", (1,))
# The last is 3 (RGB) or 1 (gray).
PIXELS = Tensor("PIXELS", "UINT8", (-1, -1, -1))
# Pixels of the image's file per pixel.
SCALE = Tensor("SCALE", "FP32", (1,))
STRATEGY = Tensor("STRATEGY", "STRING", (1,))
OPTIONS = (
    STRATEGY,
    Tensor("LANGUAGE", "STRING", (-1,)),
    Tensor("DETECT_ORIENTATION", "BOOL", (1,)),
    Tensor("WORDS", "BOOL", (1,)),
    SCALE,
)
DOCUMENT = (
    Tensor("TEXT", "STRING", (-1,)),
    Tensor("CONFIDENCE", "FP32", (-1,)),
    Tensor("POLYGON", "FP32", (-1, 4, 2)),
    Tensor("RELEASE", "INT32", (1,)),
)
ROTATION = Tensor("ROTATION", "INT32", (1,))
WORD_SPAN = Tensor("WORD_SPAN", "FP32", (-1, 3))


def image_decoding(spec: Spec, cores: int) -> Any:
    """Return the configuration of the step from an encoded image to pixels.

    Beside the pixels it gives each strategy's name as a constant: an ensemble cannot hold one.
    """
    constants = [Tensor(f"STRATEGY_{name.upper()}", "STRING", (1,)) for name in spec.strategies]
    outputs = (PIXELS, SCALE, *constants)
    config = _python_step("image_decoding", (ENCODED,), outputs, max(1, cores // 2))
    parameter(config, "max_pixels", str(spec.max_pixels))
    return config


def page_reading(spec: Spec, host: Host, writes: Mapping[str, list[str]]) -> Any:
    """Return the configuration of the step from pixels to lines, with all that it has to know.

    Two instances more than cores: one that waits for models lets another order lines.
    """
    outputs = (*DOCUMENT, ROTATION, WORD_SPAN)
    config = _python_step(READER, (PIXELS,), outputs, host.cores + 2)
    options = [triton.ModelInput(**tensor_fields(t), optional=True) for t in OPTIONS]
    config.input.extend(options)
    told = {
        "default_strategy": DEFAULT_STRATEGY,
        "strategies": {name: asdict(strategy) for name, strategy in spec.strategies.items()},
        "languages": recognizers_by_language(spec, writes),
        "default_recognizers": {name: default_recognizer(spec, name) for name in spec.strategies},
        "writes": dict(writes),
        "models": {name: _model_table(spec, name) for name in spec.models},
    }
    tasks = {
        name: _task_table(getattr(spec.tasks, name), host.device) for name in asdict(spec.tasks)
    }
    for key, value in {**told, **tasks}.items():
        parameter(config, key, json.dumps(value, separators=(",", ":")))
    return config


def ensembles(spec: Spec) -> list[Any]:
    """Return `ocr`, which is the balanced strategy, and one ensemble for each strategy."""
    named = {PUBLIC: DEFAULT_STRATEGY, **{f"{PUBLIC}_{name}": name for name in spec.strategies}}
    return [_ensemble(name, strategy) for name, strategy in named.items()]


def _ensemble(name: str, strategy: str) -> Any:
    constant = f"STRATEGY_{strategy.upper()}"
    config = triton.ModelConfig(
        name=name,
        platform="ensemble",
        input=[triton.ModelInput(**tensor_fields(ENCODED))],
        output=[triton.ModelOutput(**tensor_fields(tensor)) for tensor in DOCUMENT],
    )
    decode = config.ensemble_scheduling.step.add(model_name="image_decoding", model_version=-1)
    decode.input_map[ENCODED.name] = ENCODED.name
    decode.output_map[PIXELS.name] = "pixels"
    decode.output_map[SCALE.name] = "scale"
    decode.output_map[constant] = "strategy"
    read = config.ensemble_scheduling.step.add(model_name=READER, model_version=-1)
    read.input_map[PIXELS.name] = "pixels"
    read.input_map[SCALE.name] = "scale"
    read.input_map[STRATEGY.name] = "strategy"
    for tensor in DOCUMENT:
        read.output_map[tensor.name] = tensor.name
    return config


def _python_step(
    name: str, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], instances: int
) -> Any:
    return triton.ModelConfig(
        name=name,
        backend="python",
        max_batch_size=0,
        input=[triton.ModelInput(**tensor_fields(tensor)) for tensor in inputs],
        output=[triton.ModelOutput(**tensor_fields(tensor)) for tensor in outputs],
        instance_group=[
            triton.ModelInstanceGroup(kind=triton.ModelInstanceGroup.KIND_CPU, count=instances)
        ],
    )


def _model_table(spec: Spec, name: str) -> dict[str, Any]:
    """Return what a reader of pages asks a model with: it may be called anything."""
    model = spec.models[name]
    return {
        "task": model.task,
        "input": onnx_input(spec, model).name,
        "outputs": [output.name for output in onnx_outputs(model)],
    }


def _task_table(task: TaskSpec, device: Device) -> dict[str, Any]:
    """Return what a reader of pages needs of a task: not how the model is served or normalizes."""
    serving = {field.name for field in fields(TaskSpec)}
    told = {name: value for name, value in asdict(task).items() if name not in serving}
    return {**told, "max_batch_size": task.max_batch_size.on(device)}

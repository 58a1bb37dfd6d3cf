"""How a model's `config.pbtxt` wants its ONNX file run, in the words of Triton's own backend.

They are those of https://github.com/triton-inference-server/onnxruntime_backend, so one
configuration serves that backend and this one. What this one does not know it refuses by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded.backends.onnxruntime.tensors import FreeSides

_DEFAULT_FILENAME = "model.onnx"
_TRUE, _FALSE = {"1", "true"}, {"0", "false"}
# `optimization.graph.level` of Triton → the level's name in onnxruntime.
_GRAPH_LEVELS = {
    0: "ORT_ENABLE_ALL",
    -1: "ORT_ENABLE_BASIC",
    1: "ORT_ENABLE_EXTENDED",
    2: "ORT_DISABLE_ALL",
}
_PARAMETERS = {
    "intra_op_thread_count",
    "inter_op_thread_count",
    "execution_mode",
    "enable_mem_arena",
    "enable_mem_pattern",
    "memory.enable_memory_arena_shrinkage",
    "session.use_device_allocator_for_initializers",
    "share_session_between_instances",
    "sha256",
    "free_sides_least",
    "free_sides_most",
    "free_sides_multiple_of",
}
_CPU_ACCELERATORS = {"openvino"}
_GPU_ACCELERATORS = {"tensorrt", "cuda"}
_OPENVINO_PRECISIONS = {"FP32", "BF16", "INT8"}


class OptionError(ValueError):
    """A configuration asks for something that this backend does not know or cannot do."""


@dataclass(frozen=True)
class Accelerator:
    """One entry of `optimization.execution_accelerators`."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """What the configuration of one model instance asks for.

    Attributes:
        filename: The ONNX file inside the version folder.
        batched: Whether the first dimension of every tensor is a batch's.
        sha256: What the file's checksum must be, None where nothing is promised.
        free_sides: What the model takes in its free dimensions.
        gpu: The device number, None on the processor.
        accelerators: Those of the instance's kind of device, in order of preference.
        intra_op_threads: Threads inside an operator, 0 for the runtime's choice.
        inter_op_threads: Threads across operators, 0 for the runtime's choice.
        parallel: Whether operators may run side by side.
        graph_level: The member of onnxruntime's `GraphOptimizationLevel`.
        memory_arena: Whether memory on the processor is kept between runs, None for the default.
        memory_pattern: Whether the layout of memory is planned ahead, None for the default.
        session_entries: Session settings handed on under onnxruntime's own names.
        run_entries: Settings of each run handed on under onnxruntime's own names.
    """

    filename: str
    batched: bool
    sha256: str | None
    free_sides: FreeSides
    gpu: int | None
    accelerators: tuple[Accelerator, ...]
    intra_op_threads: int
    inter_op_threads: int
    parallel: bool
    graph_level: str
    memory_arena: bool | None
    memory_pattern: bool | None
    session_entries: Mapping[str, str]
    run_entries: Mapping[str, str]

    @property
    def openvino(self) -> Accelerator | None:
        """The wish for OpenVINO, None without one."""
        return next((a for a in self.accelerators if a.name == "openvino"), None)


def read_options(config: Mapping[str, Any], kind: str, device_id: int) -> Options:
    """Return the options of one model instance.

    Args:
        config: The model's configuration, as Triton hands it over in JSON.
        kind: The instance's kind, `CPU` or `GPU`.
        device_id: The instance's device number.

    Raises:
        OptionError: Something is unknown, wrong or not possible here; the text names it.
    """
    values = _read_parameters(config)
    if _flag(values, "share_session_between_instances"):
        raise OptionError(
            "parameter share_session_between_instances: instances are processes of their own here "
            "and cannot share a session; leave it out or set it to 0"
        )
    if kind not in {"CPU", "GPU"}:
        raise OptionError(f"instance_group kind KIND_{kind} is not known; use KIND_CPU or KIND_GPU")
    return Options(
        filename=config.get("default_model_filename") or _DEFAULT_FILENAME,
        batched=config.get("max_batch_size", 0) > 0,
        sha256=values.get("sha256"),
        free_sides=_read_free_sides(values),
        gpu=device_id if kind == "GPU" else None,
        accelerators=_read_accelerators(config, kind),
        intra_op_threads=_count(values, "intra_op_thread_count"),
        inter_op_threads=_count(values, "inter_op_thread_count"),
        parallel=bool(_flag(values, "execution_mode")),
        graph_level=_read_graph_level(config),
        memory_arena=_flag(values, "enable_mem_arena"),
        memory_pattern=_flag(values, "enable_mem_pattern"),
        session_entries=_only(values, "session.use_device_allocator_for_initializers"),
        run_entries=_only(values, "memory.enable_memory_arena_shrinkage"),
    )


def _read_parameters(config: Mapping[str, Any]) -> dict[str, str]:
    parameters = config.get("parameters") or {}
    if unknown := sorted(set(parameters) - _PARAMETERS):
        raise OptionError(
            f"unknown parameters {', '.join(unknown)}; known are {', '.join(sorted(_PARAMETERS))}"
        )
    return {name: str(value["string_value"]) for name, value in parameters.items()}


def _read_accelerators(config: Mapping[str, Any], kind: str) -> tuple[Accelerator, ...]:
    lists = (config.get("optimization") or {}).get("execution_accelerators") or {}
    found = {}
    for device, known in (("CPU", _CPU_ACCELERATORS), ("GPU", _GPU_ACCELERATORS)):
        key = f"{device.lower()}_execution_accelerator"
        found[device] = tuple(_read_accelerator(entry, key, known) for entry in lists.get(key, ()))
    return found[kind]


def _read_accelerator(entry: Mapping[str, Any], key: str, known: set[str]) -> Accelerator:
    accelerator = Accelerator(entry["name"], dict(entry.get("parameters") or {}))
    if accelerator.name not in known:
        raise OptionError(f"unknown {key} {accelerator.name}; known: {', '.join(sorted(known))}")
    if accelerator.name == "openvino":
        _check_openvino(accelerator.parameters)
    return accelerator


def _check_openvino(parameters: Mapping[str, str]) -> None:
    if unknown := sorted(set(parameters) - {"precision_mode"}):
        raise OptionError(f"unknown parameters of openvino: {', '.join(unknown)}")
    precision = parameters.get("precision_mode", "FP32")
    if precision not in _OPENVINO_PRECISIONS:
        raise OptionError(f"openvino: precision_mode {precision} is not FP32, BF16 or INT8")


def _read_graph_level(config: Mapping[str, Any]) -> str:
    graph = (config.get("optimization") or {}).get("graph") or {}
    level = int(graph.get("level", 0))
    if level not in _GRAPH_LEVELS:
        raise OptionError(f"optimization.graph.level {level} is not one of -1, 0, 1, 2")
    return _GRAPH_LEVELS[level]


def _count(values: Mapping[str, str], name: str) -> int:
    text = values.get(name, "0")
    if not text.isdigit():
        raise OptionError(f"parameter {name}: {text!r} is not a whole number")
    return int(text)


def _read_free_sides(values: Mapping[str, str]) -> FreeSides:
    return FreeSides(
        least=_count(values, "free_sides_least") or 1,
        most=_count(values, "free_sides_most") or None,
        multiple_of=_count(values, "free_sides_multiple_of") or 1,
    )


def _flag(values: Mapping[str, str], name: str) -> bool | None:
    text = values.get(name, "").lower()
    if text not in _TRUE | _FALSE | {""}:
        raise OptionError(f"parameter {name}: {text!r} is not 0 or 1")
    return text in _TRUE if text else None


def _only(values: Mapping[str, str], name: str) -> dict[str, str]:
    return {name: values[name]} if name in values else {}

"""Which onnxruntime providers a model runs on, and their options."""

from collections.abc import Sequence
from typing import Any

from embedded.backends.onnxruntime.options import Accelerator, OptionError, Options

Provider = tuple[str, dict[str, str]]

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
_TENSORRT = "TensorrtExecutionProvider"
_PRECISION_FLAGS = {"FP32": {}, "FP16": {"trt_fp16_enable": "1"}, "INT8": {"trt_int8_enable": "1"}}
# Triton's names that differ from onnxruntime's; every other one begins with trt_ in both.
_TENSORRT_NAMES = {
    "max_workspace_size_bytes": "trt_max_workspace_size",
    "int8_calibration_table_name": "trt_int8_calibration_table_name",
    "int8_use_native_calibration_table": "trt_int8_use_native_calibration_table",
}


def choose_providers(options: Options, available: Sequence[str]) -> list[Provider]:
    """Return the providers in order of preference.

    Args:
        options: What the model asks for.
        available: The providers that the installed onnxruntime was built with.

    Raises:
        OptionError: The model asks for a GPU or an accelerator that onnxruntime does not have.
    """
    if options.gpu is None:
        return [(_CPU, {})]
    device = {"device_id": str(options.gpu)}
    wishes = {accelerator.name: accelerator for accelerator in options.accelerators}
    providers: list[Provider] = []
    if tensorrt := wishes.get("tensorrt"):
        providers.append((_TENSORRT, device | tensorrt_options(tensorrt)))
    cuda = wishes.get("cuda")
    # As in Triton's own backend CUDA takes what TensorRT cannot, and the processor the rest.
    providers.append((_CUDA, device | dict(cuda.parameters if cuda else {})))
    for name, _ in providers:
        _require(name, available)
    return [*providers, (_CPU, {})]


def tensorrt_options(accelerator: Accelerator) -> dict[str, str]:
    """Return the parameters of the `tensorrt` accelerator under onnxruntime's names.

    Raises:
        OptionError: A parameter or precision is unknown.
    """
    found: dict[str, str] = {}
    for name, value in accelerator.parameters.items():
        if name == "precision_mode":
            if value not in _PRECISION_FLAGS:
                raise OptionError(f"tensorrt: precision_mode {value} is not FP32, FP16 or INT8")
            found |= _PRECISION_FLAGS[value]
        elif name in _TENSORRT_NAMES or name.startswith("trt_"):
            found[_TENSORRT_NAMES.get(name, name)] = value
        else:
            raise OptionError(f"unknown parameter of tensorrt: {name}")
    return found


def require_in_use(wanted: Sequence[Provider], used: Sequence[str]) -> None:
    """Make sure that onnxruntime did not fall back to a slower device in silence.

    Raises:
        OptionError: A wanted provider is not in use.
    """
    for name, _ in wanted:
        if name not in used:
            raise OptionError(
                f"{name} could not start, onnxruntime would run on {', '.join(used)} instead; "
                "its own message stands above in the log"
            )


def _require(name: str, available: Sequence[str]) -> None:
    if name not in available:
        raise OptionError(
            f"the model wants {name} and the installed onnxruntime has {', '.join(available)}; "
            "install the gpu extra, or export the models for a host without a GPU"
        )


def session_settings(onnxruntime: Any, options: Options) -> Any:
    """Return onnxruntime's `SessionOptions` for a model's options."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.intra_op_threads
    settings.inter_op_num_threads = options.inter_op_threads
    modes = onnxruntime.ExecutionMode
    settings.execution_mode = modes.ORT_PARALLEL if options.parallel else modes.ORT_SEQUENTIAL
    levels = onnxruntime.GraphOptimizationLevel
    settings.graph_optimization_level = getattr(levels, options.graph_level)
    if options.memory_arena is not None:
        settings.enable_cpu_mem_arena = options.memory_arena
    if options.memory_pattern is not None:
        settings.enable_mem_pattern = options.memory_pattern
    for name, value in options.session_entries.items():
        settings.add_session_config_entry(name, value)
    # Instances are processes side by side: idle threads must not spin on each other's cores.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return settings

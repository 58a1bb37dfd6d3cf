"""A loaded ONNX model, on OpenVINO or on onnxruntime."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from embedded.backends.onnxruntime.options import OptionError, Options
from embedded.backends.onnxruntime.precision import candidates, choose
from embedded.backends.onnxruntime.providers import (
    choose_providers,
    require_in_use,
    session_settings,
)
from embedded.backends.onnxruntime.quantize import quantize, read_ranges

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: As in the ONNX file.
        dtype: Of its elements.
        shape: With the batch dimension, None where a dimension is free.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]


class Session(Protocol):
    """A model that is ready to run."""

    description: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Return every output by name; the arrays are the caller's to keep."""


def open_session(path: Path, options: Options) -> Session:
    """Load a model as its options say.

    OpenVINO is an accelerator, not a promise: without the package the model runs on onnxruntime,
    and `description` says so.

    Raises:
        OptionError: The file is not the promised one, or a device or provider is not there.
    """
    _check_file(path, options.sha256)
    if options.openvino is None:
        return OnnxRuntimeSession(path, options)
    try:
        import openvino
    except ModuleNotFoundError:
        session = OnnxRuntimeSession(path, options)
        session.description += " (openvino is asked for and not installed)"
        return session
    return OpenVinoSession(openvino, path, options)


class OpenVinoSession:
    """A model on OpenVINO's processor plugin."""

    def __init__(self, openvino: Any, path: Path, options: Options) -> None:
        self._openvino, self._path, self._threads = openvino, path, options.intra_op_threads
        self._core = openvino.Core()
        model = self._core.read_model(str(path))
        self.inputs = [_openvino_spec(port) for port in model.inputs]
        self.outputs = [_openvino_spec(port) for port in model.outputs]
        self._batched = options.batched
        precision = self._choose_precision(options, has_ranges=bool(read_ranges(model)))
        self._request = self._compile(precision)
        threads = options.intra_op_threads or "all"
        self.description = f"OpenVINO {openvino.__version__}, {precision}, {threads} threads"

    def _choose_precision(self, options: Options, *, has_ranges: bool) -> str:
        assert options.openvino is not None
        capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        key = {
            "file": options.sha256 or hashlib.sha256(self._path.read_bytes()).hexdigest(),
            "processor": self._core.get_property("CPU", "FULL_DEVICE_NAME"),
            "capabilities": sorted(capabilities),
            "openvino": self._openvino.__version__,
            "threads": options.intra_op_threads,
        }
        possible = candidates(options.openvino, capabilities, has_ranges=has_ranges)
        return choose(possible, self._make_run, key)

    def _make_run(self, precision: str) -> Callable[[], object]:
        request = self._compile(precision)
        feeds = {spec.name: _typical_input(spec) for spec in self.inputs}
        return lambda: request.infer(feeds, share_inputs=True)

    def _compile(self, precision: str) -> Any:
        settings = {
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            # With pinning every instance picks the same core, and all of them wait for it.
            "ENABLE_CPU_PINNING": False,
        }
        if self._threads:
            settings["INFERENCE_NUM_THREADS"] = self._threads
        model = self._core.read_model(str(self._path))
        if precision == "int8":
            quantize(self._openvino, model, read_ranges(model))
        return self._core.compile_model(model, "CPU", settings).create_infer_request()

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """See `Session`."""
        if not self._batched:
            return self._run_alone(feeds)
        # One row at a time: its activations stay in the cache, and OpenVINO compiles its kernels
        # for every new shape, so only widths and heights may vary, not batch sizes as well.
        rows = len(next(iter(feeds.values())))
        answers = [
            self._run_alone({name: array[i : i + 1] for name, array in feeds.items()})
            for i in range(rows)
        ]
        return {
            spec.name: np.concatenate([answer[spec.name] for answer in answers])
            for spec in self.outputs
        }

    def _run_alone(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        results = self._request.infer(dict(feeds), share_inputs=True)
        return {spec.name: results[i].copy() for i, spec in enumerate(self.outputs)}


class OnnxRuntimeSession:
    """A model on onnxruntime: the processor, CUDA or TensorRT."""

    def __init__(self, path: Path, options: Options) -> None:
        import onnxruntime

        providers = choose_providers(options, onnxruntime.get_available_providers())
        if options.gpu is not None and hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # CUDA and cuDNN of the nvidia wheels
        settings = session_settings(onnxruntime, options)
        self._session = onnxruntime.InferenceSession(str(path), settings, providers=providers)
        require_in_use(providers, self._session.get_providers())
        self._run_options = onnxruntime.RunOptions()
        for name, value in options.run_entries.items():
            self._run_options.add_run_config_entry(name, value)
        self.inputs = [_onnxruntime_spec(node) for node in self._session.get_inputs()]
        self.outputs = [_onnxruntime_spec(node) for node in self._session.get_outputs()]
        used = self._session.get_providers()[0]
        self.description = f"onnxruntime {onnxruntime.__version__}, {used}"

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """See `Session`."""
        names = [spec.name for spec in self.outputs]
        return dict(
            zip(names, self._session.run(names, dict(feeds), self._run_options), strict=True)
        )


def _check_file(path: Path, sha256: str | None) -> None:
    if not path.is_file():
        raise OptionError(f"there is no {path.name} in {path.parent}")
    if sha256 is None:
        return
    with path.open("rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != sha256:
        raise OptionError(f"{path.name} has the sha256 {found}, its configuration says {sha256}")


def _typical_input(spec: TensorSpec) -> Array:
    """Noise of a size that the model meets often: sides left free are 480 and 640 pixels."""
    free = iter((1, 480, 640) if spec.shape.count(None) > 2 else (1, 640, 640))
    shape = [next(free, 1) if side is None else side for side in spec.shape]
    noise = np.random.default_rng(0).integers(0, 256, shape)
    return np.asarray(noise, spec.dtype)


def _openvino_spec(port: Any) -> TensorSpec:
    shape = tuple(d.get_length() if d.is_static else None for d in port.partial_shape)
    return TensorSpec(port.any_name, np.dtype(port.element_type.to_dtype()), shape)


_ONNX_DTYPES = {"float": "float32", "double": "float64"}


def _onnxruntime_spec(node: Any) -> TensorSpec:
    element = node.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(d if isinstance(d, int) else None for d in node.shape)
    return TensorSpec(node.name, np.dtype(_ONNX_DTYPES.get(element, element)), shape)

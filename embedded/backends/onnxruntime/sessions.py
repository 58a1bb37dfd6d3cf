"""A loaded ONNX model, on OpenVINO or on onnxruntime."""

import hashlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from embedded.backends.onnxruntime.openvino_session import OpenVinoSession
from embedded.backends.onnxruntime.options import OptionError, Options
from embedded.backends.onnxruntime.providers import (
    choose_providers,
    require_in_use,
    session_settings,
)
from embedded.backends.onnxruntime.tensors import Array, Feeds, TensorSpec


class Session(Protocol):
    """A model that is ready to run."""

    description: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]

    def run(self, feeds: Feeds) -> dict[str, Array]:
        """Return every output by name; the arrays are the caller's to keep.

        Raises:
            AnswerError: The model gave no answer to these shapes.
        """


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

    def run(self, feeds: Feeds) -> dict[str, Array]:
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


_ONNX_DTYPES = {"float": "float32", "double": "float64"}


def _onnxruntime_spec(node: Any) -> TensorSpec:
    element = node.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(d if isinstance(d, int) else None for d in node.shape)
    return TensorSpec(node.name, np.dtype(_ONNX_DTYPES.get(element, element)), shape)

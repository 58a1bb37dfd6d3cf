"""A loaded ONNX model on OpenVINO."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from embedded.backends.onnxruntime.options import Options
from embedded.backends.onnxruntime.precision import candidates, choose
from embedded.backends.onnxruntime.quantize import quantize, read_ranges
from embedded.backends.onnxruntime.tensors import AnswerError, Array, Feeds, TensorSpec


class OpenVinoSession:
    """A model on OpenVINO's processor plugin."""

    def __init__(self, openvino: Any, path: Path, options: Options) -> None:
        self._openvino, self._path, self._threads = openvino, path, options.intra_op_threads
        self._core = openvino.Core()
        model = self._core.read_model(str(path))
        self.inputs = [_openvino_spec(port) for port in model.inputs]
        self.outputs = [_openvino_spec(port) for port in model.outputs]
        self._batched = options.batched
        self._precision = self._choose_precision(options, has_ranges=bool(read_ranges(model)))
        self._request = self._compile(self._precision)
        threads = options.intra_op_threads or "all"
        self.description = f"OpenVINO {openvino.__version__}, {self._precision}, {threads} threads"

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

    def run(self, feeds: Feeds) -> dict[str, Array]:
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

    def _run_alone(self, feeds: Feeds) -> dict[str, Array]:
        """Run once, into tensors that have held nothing before.

        OpenVINO 2026.4 raises nothing where a model cannot take a shape: it leaves in the output
        tensors what they held, which would be another request's answer. On a processor with AMX it
        may answer with what its inner tensors held: the backend refuses these shapes before.
        """
        outputs = [self._openvino.Tensor(_nothing(spec)) for spec in self.outputs]
        try:
            for index, output in enumerate(outputs):
                self._request.set_output_tensor(index, output)
            self._request.infer(dict(feeds), share_inputs=True)
            answer = [output.data for output in outputs]
            if any(array.size == 0 for array in answer):
                shapes = ", ".join(f"{name} {list(a.shape)}" for name, a in feeds.items())
                raise AnswerError(f"the model gives no answer to {shapes}: it cannot take that")
        except Exception:
            # A failure leaves the compiled graph half way to the new shape: the next request of
            # the old one would fail as well, whatever request object carries it.
            self._request = self._compile(self._precision)
            raise
        return {spec.name: array for spec, array in zip(self.outputs, answer, strict=True)}


def _nothing(spec: TensorSpec) -> Array:
    """Return an array of no element, or of zeros where all sides are fixed.

    OpenVINO makes it as large as the answer, so one that stays empty was not answered.
    """
    return np.zeros([0 if side is None else side for side in spec.shape], spec.dtype)


def _typical_input(spec: TensorSpec) -> Array:
    """Noise of a size that the model meets often: sides left free are 480 and 640 pixels."""
    free = iter((1, 480, 640) if spec.shape.count(None) > 2 else (1, 640, 640))
    shape = [next(free, 1) if side is None else side for side in spec.shape]
    noise = np.random.default_rng(0).integers(0, 256, shape)
    return np.asarray(noise, spec.dtype)


def _openvino_spec(port: Any) -> TensorSpec:
    shape = tuple(d.get_length() if d.is_static else None for d in port.partial_shape)
    return TensorSpec(port.any_name, np.dtype(port.element_type.to_dtype()), shape)

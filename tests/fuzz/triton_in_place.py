"""`triton_python_backend_utils` for the steps' adapters, and models that answer by rule."""

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).parents[2] / "model_repository"


class Tensor:
    """A named array."""

    def __init__(self, name: str, values: np.ndarray) -> None:
        self._name, self._values = name, values

    def name(self) -> str:
        return self._name

    def as_numpy(self) -> np.ndarray:
        return self._values


class TritonError(Exception):
    """What a request is answered with instead of tensors."""

    INVALID_ARG, INTERNAL, UNAVAILABLE = "INVALID_ARG", "INTERNAL", "UNAVAILABLE"

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.text, self.code = text, code


@dataclass
class Response:
    """Tensors or an error."""

    output_tensors_: Any = ()
    error: TritonError | None = None

    def has_error(self) -> bool:
        return self.error is not None

    def output_tensors(self) -> Any:
        return self.output_tensors_


@dataclass
class Call:
    """A call of a model by a step, answered by the shape of its batch."""

    model_name: str
    requested_output_names: list[str]
    inputs: list[Tensor]

    async def async_exec(self) -> Response:
        batch = self.inputs[0].as_numpy()
        rows, steps = len(batch), max(1, batch.shape[2] // 8)
        turns = {"turns": (0.1, 0.7, 0.1, 0.1), "heads": (0.2, 0.8)}
        sure = turns.get(self.model_name.partition("_r")[0], (0.6,) * steps)
        answers = {
            "PROBABILITY_MAP": np.where(batch[..., 0] < 128, 255, 0).astype(np.uint8),
            "CODEPOINT": np.tile(np.arange(steps, dtype=np.int32) % 3 * 55, (rows, 1)),
            "PROBABILITY": np.tile(np.float32(sure), (rows, 1)),
        }
        return Response([Tensor(name, answers[name]) for name in self.requested_output_names])


UTILS = SimpleNamespace(
    Tensor=Tensor,
    TritonError=TritonError,
    InferenceResponse=Response,
    InferenceRequest=Call,
    Logger=SimpleNamespace(log_error=lambda text: None),
    get_input_tensor_by_name=lambda request, name: request.get(name),
    is_model_ready=lambda name: True,
)


def load_step(name: str, parameters: dict[str, object]) -> Any:
    """The adapter of a step, initialized."""
    sys.modules["triton_python_backend_utils"] = UTILS  # type: ignore[assignment]
    path = REPOSITORY / name / "1" / "model.py"
    spec = importlib.util.spec_from_file_location(f"step_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.TritonPythonModel()
    written = {key: {"string_value": json.dumps(value)} for key, value in parameters.items()}
    outputs = [{"name": name} for name in ("PIXELS", "SCALE", "STRATEGY_SPEED")]
    config = {"name": f"{name}_r3", "parameters": written, "output": outputs}
    model.initialize({"model_config": json.dumps(config)})
    return model

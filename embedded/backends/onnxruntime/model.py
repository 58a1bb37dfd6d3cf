"""Triton's `onnxruntime` backend in Python, for the server of the wheel, which has no C++ one.

Triton runs a copy of this file in a process of its own for every model instance.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

from embedded.backends.onnxruntime.batches import Answer, answer_all
from embedded.backends.onnxruntime.options import read_options
from embedded.backends.onnxruntime.sessions import Session, open_session
from embedded.backends.onnxruntime.tensors import Array, TensorError, check_tensors


class TritonPythonModel:
    """One instance of an ONNX model."""

    @staticmethod
    def auto_complete_config(auto_complete_model_config: Any) -> Any:
        """Leave the configuration as it is: every model of this project says all of it."""
        return auto_complete_model_config

    def initialize(self, args: Mapping[str, str]) -> None:
        """Load the model; Triton shows what it raises as the reason why the model is not there."""
        config = json.loads(args["model_config"])
        options = read_options(
            config, args["model_instance_kind"], int(args["model_instance_device_id"])
        )
        path = Path(args["model_repository"]) / args["model_version"] / options.filename
        self._batched, self._free_sides = options.batched, options.free_sides
        self._session: Session = open_session(path, options)
        self._outputs = [output["name"] for output in config["output"]]
        _check_names(config, self._session)
        pb_utils.Logger.log_info(f"{args['model_instance_name']}: {self._session.description}")

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer every request, an unfit or failed one with an error of its own."""
        answers: dict[int, Answer] = {}
        fitting: dict[int, dict[str, Array]] = {}
        for index, request in enumerate(requests):
            feeds = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            try:
                check_tensors(feeds, self._session.inputs, self._free_sides)
                fitting[index] = feeds
            except TensorError as error:
                answers[index] = error
        results = answer_all(list(fitting.values()), self._session.run, batched=self._batched)
        answers.update(zip(fitting, results, strict=True))
        return [self._response(answers[i], request) for i, request in enumerate(requests)]

    def _response(self, answer: Answer, request: Any) -> Any:
        if isinstance(answer, Exception):
            unfit = isinstance(answer, TensorError)
            code = pb_utils.TritonError.INVALID_ARG if unfit else pb_utils.TritonError.INTERNAL
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(answer), code))
        wanted = set(request.requested_output_names())
        names = [name for name in self._outputs if name in wanted]
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, answer[name]) for name in names])


def _check_names(config: Mapping[str, Any], session: Session) -> None:
    for kind, specs in (("input", session.inputs), ("output", session.outputs)):
        has = {spec.name for spec in specs}
        said = {tensor["name"] for tensor in config[kind]}
        if unknown := said - has if kind == "output" else said ^ has:
            raise pb_utils.TritonModelException(
                f"{kind} {', '.join(sorted(unknown))}: config.pbtxt says {sorted(said)}, "
                f"the ONNX file has {sorted(has)}"
            )

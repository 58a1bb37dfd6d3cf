"""Triton's adapter of `image_decoding`: encoded images → pixels, errors per request."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from decode_image import UndecodableImageError, decode_image

CONSTANT = "STRATEGY_"
"""Outputs of such names hold the rest of the name, in small letters."""


class TritonPythonModel:
    """IMAGE in; PIXELS and their SCALE out, and constants: an ensemble wires its strategy."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the pixel limit and the names of the strategies from the model's configuration."""
        config = json.loads(args["model_config"])
        self._max_pixels = int(config["parameters"]["max_pixels"]["string_value"])
        outputs = [output["name"] for output in config["output"]]
        self._constants = [name for name in outputs if name.startswith(CONSTANT)]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request by itself."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        data = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy()
        try:
            pixels, scale = decode_image(bytes(data.ravel()[0]), self._max_pixels)
        except UndecodableImageError as error:
            failure = pb_utils.TritonError(str(error), pb_utils.TritonError.INVALID_ARG)
            return pb_utils.InferenceResponse(error=failure)
        page = [
            pb_utils.Tensor("PIXELS", pixels),
            pb_utils.Tensor("SCALE", np.array([scale], np.float32)),
        ]
        return pb_utils.InferenceResponse([*page, *map(_constant, self._constants)])


def _constant(name: str) -> Any:
    strategy = name.removeprefix(CONSTANT).lower()
    return pb_utils.Tensor(name, np.array([strategy.encode()], np.object_))

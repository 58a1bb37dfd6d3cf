"""Triton's adapter of `image_decoding`: encoded images → pixels, errors per request."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from decode_image import UndecodableImageError, decode_image

STRATEGIES = ("speed", "balanced", "accuracy")


class TritonPythonModel:
    """IMAGE in; PIXELS out, and constants with which an ensemble pins its strategy by wiring."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the pixel limit from the model's configuration."""
        parameters = json.loads(args["model_config"])["parameters"]
        self._max_pixels = int(parameters["max_pixels"]["string_value"])

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request by itself."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        data = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy()
        try:
            pixels = decode_image(bytes(data.ravel()[0]), self._max_pixels)
        except UndecodableImageError as error:
            failure = pb_utils.TritonError(str(error), pb_utils.TritonError.INVALID_ARG)
            return pb_utils.InferenceResponse(error=failure)
        names = [
            pb_utils.Tensor(f"STRATEGY_{name.upper()}", np.array([name.encode()], np.object_))
            for name in STRATEGIES
        ]
        return pb_utils.InferenceResponse([pb_utils.Tensor("PIXELS", pixels), *names])

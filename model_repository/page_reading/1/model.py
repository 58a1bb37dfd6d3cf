"""Triton's adapter of `page_reading`: requests ↔ arrays, errors per request."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import triton_python_backend_utils as pb_utils
from line_crops import Image
from page_settings import PageSettings, Strategy, UnknownOptionError
from reader import PageReader, Reading


class ModelCallError(RuntimeError):
    """A model that a page needs did not answer."""


class TritonPythonModel:
    """Reads one page per request: PIXELS in; TEXT, CONFIDENCE, POLYGON, … out."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the numbers of this release from the model's configuration."""
        config = json.loads(args["model_config"])
        self._settings = PageSettings.from_parameters(
            {name: value["string_value"] for name, value in config["parameters"].items()}
        )

    async def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request by itself: a bad one never fails its neighbours."""
        return [await self._answer(request) for request in requests]

    async def _answer(self, request: Any) -> Any:
        try:
            reading = await self._read(request)
            return _response(reading, self._settings.release, _flag(request, "WORDS"))
        except UnknownOptionError as error:
            return _failure(str(error), pb_utils.TritonError.INVALID_ARG)
        except ModelCallError as error:
            return _failure(str(error), pb_utils.TritonError.UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - one request's failure is that request's answer
            pb_utils.Logger.log_error(f"page_reading: {error!r}")
            return _failure(f"the page could not be read: {error}", pb_utils.TritonError.INTERNAL)

    async def _read(self, request: Any) -> Reading:
        pixels = _input(request, "PIXELS")
        if pixels is None or pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.size == 0:
            raise UnknownOptionError(
                "PIXELS must be UINT8 [height, width, 3] (or 1: gray) with at least one pixel"
            )
        names = _texts(request, "STRATEGY") or ["balanced"]
        strategy = _with_orientation(self._settings.strategy(names[0]), request)
        recognizer = self._settings.recognizer(names[0], _texts(request, "LANGUAGE"))
        reader = PageReader(self._settings, self._infer)
        return await reader.read(pixels, strategy, recognizer)

    async def _infer(
        self, model: str, input_name: str, batch: Image
    ) -> dict[str, npt.NDArray[Any]]:
        """Ask a model of the own release: no page is read by two."""
        call = pb_utils.InferenceRequest(
            model_name=f"{model}_r{self._settings.release}",
            requested_output_names=OUTPUTS[model.split("_latin")[0].removesuffix("_tiny")],
            inputs=[pb_utils.Tensor(input_name, batch)],
        )
        response = await call.async_exec()
        if response.has_error():
            raise ModelCallError(f"{model}: {response.error().message()}")
        return {tensor.name(): tensor.as_numpy() for tensor in response.output_tensors()}


def _with_orientation(strategy: Strategy, request: Any) -> Strategy:
    wanted = _flag(request, "DETECT_ORIENTATION")
    if wanted is None:
        return strategy
    return replace(strategy, page_orientation="always" if wanted else "never")


OUTPUTS = {
    "text_detection": ["PROBABILITY_MAP"],
    "text_recognition": ["CODEPOINT", "PROBABILITY"],
    "textline_orientation": ["PROBABILITY"],
    "page_orientation": ["PROBABILITY"],
}


def _input(request: Any, name: str) -> npt.NDArray[Any] | None:
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return None if tensor is None else tensor.as_numpy()


def _flag(request: Any, name: str) -> bool | None:
    value = _input(request, name)
    return None if value is None else bool(value[0])


def _texts(request: Any, name: str) -> list[str]:
    values = _input(request, name)
    return [] if values is None else [value.decode() for value in values.ravel().tolist()]


def _response(reading: Reading, release: int, words: bool | None) -> Any:
    lines = reading.lines
    polygons = [line.reading_polygon for line in lines]
    spans = [line.word_spans for line in lines if words]
    return pb_utils.InferenceResponse(
        [
            pb_utils.Tensor("TEXT", np.array([line.text.encode() for line in lines], np.object_)),
            pb_utils.Tensor(
                "CONFIDENCE", np.array([line.confidence for line in lines], np.float32)
            ),
            pb_utils.Tensor("POLYGON", np.array(polygons, np.float32).reshape(-1, 4, 2)),
            pb_utils.Tensor("RELEASE", np.array([release], np.int32)),
            pb_utils.Tensor("ROTATION", np.array([reading.rotation], np.int32)),
            pb_utils.Tensor("WORD_SPAN", np.concatenate([np.zeros((0, 3), np.float32), *spans])),
        ]
    )


def _failure(message: str, code: int) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))

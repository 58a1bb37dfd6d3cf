"""Triton's adapter of `page_reading`: requests ↔ arrays, errors per request."""

from __future__ import annotations

import json
import traceback
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import triton_python_backend_utils as pb_utils
from line_crops import Image
from page_settings import PageSettings, Strategy, UnknownOptionError
from reader import PageReader, Reading


class ModelCallError(RuntimeError):
    """A model that a page needs did not answer; `code` is Triton's."""

    def __init__(self, message: str, code: Any) -> None:
        super().__init__(message)
        self.code = code


class TritonPythonModel:
    """Reads one page per request: PIXELS in; TEXT, CONFIDENCE, POLYGON, … out."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the numbers of this release from the model's configuration."""
        config = json.loads(args["model_config"])
        parameters = {name: told["string_value"] for name, told in config["parameters"].items()}
        self._settings = PageSettings.from_parameters(parameters)
        self._default_strategy = json.loads(parameters["default_strategy"])
        # What its release's models are called in Triton ends as its own name does.
        self._ending = config["name"].removeprefix("page_reading")

    async def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request by itself: a bad one never fails its neighbours."""
        return [await self._answer(request) for request in requests]

    async def _answer(self, request: Any) -> Any:
        try:
            reading = await self._read(request)
            return _response(reading, self._settings.release, request)
        except UnknownOptionError as error:
            return _failure(str(error), pb_utils.TritonError.INVALID_ARG)
        except ModelCallError as error:
            return _failure(str(error), error.code)
        except Exception as error:  # noqa: BLE001 - one request's failure is that request's answer
            # Its text may quote the request, and goes to whoever sent that alone.
            places = "".join(traceback.format_tb(error.__traceback__))
            pb_utils.Logger.log_error(f"page_reading: {type(error).__name__}\n{places}")
            return _failure(f"the page could not be read: {error}", pb_utils.TritonError.INTERNAL)

    async def _read(self, request: Any) -> Reading:
        pixels = _input(request, "PIXELS")
        if pixels is None or pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.size == 0:
            raise UnknownOptionError(
                "PIXELS must be UINT8 [height, width, 3] (or 1: gray) with at least one pixel"
            )
        names = _texts(request, "STRATEGY") or [self._default_strategy]
        strategy = _with_orientation(self._settings.strategy(names[0]), request)
        recognizer = self._settings.recognizer(names[0], _texts(request, "LANGUAGE"))
        reader = PageReader(self._settings, self._infer)
        return await reader.read(pixels, strategy, recognizer)

    async def _infer(self, model: str, batch: Image) -> dict[str, npt.NDArray[Any]]:
        """Ask a model of the own release: no page is read by two."""
        tensors, served = self._settings.models[model], f"{model}{self._ending}"
        call = pb_utils.InferenceRequest(
            model_name=served,
            requested_output_names=tensors.outputs,
            inputs=[pb_utils.Tensor(tensors.input, batch)],
        )
        response = await call.async_exec()
        if response.has_error():
            raise ModelCallError(
                f"{model}: {response.error().message()}", _code_of(response, served)
            )
        return {tensor.name(): tensor.as_numpy() for tensor in response.output_tensors()}


def _with_orientation(strategy: Strategy, request: Any) -> Strategy:
    wanted = _flag(request, "DETECT_ORIENTATION")
    if wanted is None:
        return strategy
    return replace(strategy, page_orientation="always" if wanted else "never")


def _code_of(response: Any, served: str) -> Any:
    """Return the code of a model's error: only of one that is away may trying again help."""
    # Triton 24.10 tells INTERNAL whatever happened, also where there is no such model.
    if not pb_utils.is_model_ready(served):
        return pb_utils.TritonError.UNAVAILABLE
    return response.error().code()


def _input(request: Any, name: str) -> npt.NDArray[Any] | None:
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return None if tensor is None else tensor.as_numpy()


def _flag(request: Any, name: str) -> bool | None:
    value = _input(request, name)
    return None if value is None else bool(value[0])


def _texts(request: Any, name: str) -> list[str]:
    values = _input(request, name)
    return (
        []
        if values is None
        else [value.decode(errors="replace") for value in values.ravel().tolist()]
    )


def _response(reading: Reading, release: int, request: Any) -> Any:
    lines = reading.lines
    scale = _input(request, "SCALE")
    polygons = [line.reading_polygon * (1.0 if scale is None else scale[0]) for line in lines]
    spans = [line.word_spans for line in lines if _flag(request, "WORDS")]
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


def _failure(message: str, code: Any) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))

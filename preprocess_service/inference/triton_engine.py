"""Reads pages with Triton over gRPC."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
from google.protobuf import message as protobuf
from tritonclient.grpc import aio, model_config_pb2
from tritonclient.utils import InferenceServerException

from ocr_base.triton import PUBLIC, READER, Releases, served_name
from preprocess_service import metrics
from preprocess_service.errors import (
    EngineContractError,
    EngineFailedError,
    EngineTimeoutError,
    EngineUnavailableError,
)
from preprocess_service.inference import tensors
from preprocess_service.inference.engine import (
    CallContext,
    EngineDescription,
    ModelState,
    PageReading,
    ReadingOptions,
)
from preprocess_service.inference.releases import choose, read_releases
from preprocess_service.inference.shadow import Shadow
from preprocess_service.problem import ServiceError
from preprocess_service.turns import Party, Room, Turns

# The most that gRPC can count: a page of 100 million pixels has 300 MB.
_MAX_MESSAGE_BYTES = 2**31 - 1
_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    # A restarted Triton is found again within a second or two.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # So is one whose name did not resolve yet: gRPC would ask for it every 30 seconds only.
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
]
# Long enough for the channel to have tried again.
_RETRY_AFTER_SECONDS = 0.5
_STATUS_TIMEOUT_SECONDS = 5.0
# A switch reaches the documents that come after so many seconds.
_RELEASES_SECONDS = 2.0

ERROR_OF_STATUS: dict[grpc.StatusCode, type[ServiceError]] = {
    grpc.StatusCode.UNAVAILABLE: EngineUnavailableError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: EngineUnavailableError,
    grpc.StatusCode.ABORTED: EngineUnavailableError,
    grpc.StatusCode.CANCELLED: EngineUnavailableError,
    # A model that is not loaded, or not yet.
    grpc.StatusCode.NOT_FOUND: EngineUnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: EngineTimeoutError,
    grpc.StatusCode.INTERNAL: EngineFailedError,
    grpc.StatusCode.UNKNOWN: EngineFailedError,
    grpc.StatusCode.DATA_LOSS: EngineFailedError,
    grpc.StatusCode.OK: EngineFailedError,
    grpc.StatusCode.INVALID_ARGUMENT: EngineContractError,
    grpc.StatusCode.ALREADY_EXISTS: EngineContractError,
    grpc.StatusCode.PERMISSION_DENIED: EngineContractError,
    grpc.StatusCode.UNAUTHENTICATED: EngineContractError,
    grpc.StatusCode.FAILED_PRECONDITION: EngineContractError,
    grpc.StatusCode.OUT_OF_RANGE: EngineContractError,
    grpc.StatusCode.UNIMPLEMENTED: EngineContractError,
}
_STATUS_OF_TEXT = {str(status): status for status in grpc.StatusCode}


#: What calling Triton raises.
FOREIGN_ERRORS = (
    InferenceServerException,
    grpc.RpcError,
    grpc.FutureCancelledError,
    grpc.FutureTimeoutError,
    grpc.aio.BaseError,
    protobuf.Error,
)


def map_triton_error(error: Exception) -> ServiceError:
    """The error that a caller sees for one of `FOREIGN_ERRORS`; its own words stay the cause."""
    if isinstance(error, protobuf.Error):
        return EngineContractError("Triton and this service do not understand each other.")
    if not isinstance(error, InferenceServerException):
        return EngineUnavailableError("The connection to Triton cannot be used.")
    status = _STATUS_OF_TEXT.get(error.status() or "", grpc.StatusCode.UNKNOWN)
    return ERROR_OF_STATUS[status](f"Triton answered {status.name}.")


class TritonEngine:
    """`OcrEngine` over `tritonclient.grpc.aio`; cancelling a call cancels it in Triton too."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        """Nothing is connected before the first call.

        Args:
            url: host:port of Triton's gRPC endpoint.
            timeout_seconds: For one page.
        """
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._releases: Releases | None = None
        self._ask_again_at = 0.0
        # A release never changes.
        self._descriptions: dict[int, EngineDescription] = {}
        self._shadow = Shadow()
        self._pages_at_once = 1
        self._turns = Turns(Room(1), Room(1))

    @cached_property
    def _client(self) -> aio.InferenceServerClient:
        # A channel belongs to the loop that runs when it is made.
        return aio.InferenceServerClient(self._url, channel_args=_CHANNEL_OPTIONS)

    async def recognize(
        self, pixels: npt.NDArray[np.uint8], options: ReadingOptions, context: CallContext
    ) -> PageReading:
        """See `OcrEngine.recognize`; tried once more where Triton is away."""
        async with self._turns.hold(Party(context.caller, context.request_id)):
            reading = await self._recognize(pixels, options, context)
        metrics.RELEASE_PAGES.labels(str(reading.release)).inc()
        if self._releases is not None:
            self._shadow.offer(
                self._releases,
                reading,
                lambda release: self._recognize(pixels, replace(options, release=release), context),
            )
        return reading

    async def _recognize(
        self, pixels: npt.NDArray[np.uint8], options: ReadingOptions, context: CallContext
    ) -> PageReading:
        headers = {"traceparent": context.traceparent} if context.traceparent else {}
        result = await _retry_once(
            lambda: self._client.infer(
                served_name(READER, options.release),
                tensors.to_inputs(pixels, options),
                request_id=context.request_id,
                client_timeout=self._timeout_seconds,
                headers=headers,
            )
        )
        return tensors.to_reading(result)

    async def describe(
        self, request_id: str | None = None, release: int | None = None
    ) -> EngineDescription:
        """See `OcrEngine.describe`; the last known stands while Triton is away for a moment."""
        releases = await self._find_releases()
        description = await self._description_of(choose(releases, request_id, release))
        if description.release == releases.live:
            self._allow(description.pages_at_once)
        return description

    async def _find_releases(self) -> Releases:
        known = self._releases
        if known is not None and time.monotonic() < self._ask_again_at:
            return known
        self._ask_again_at = time.monotonic() + _RELEASES_SECONDS
        try:
            self._releases = read_releases(await self._config_of(PUBLIC))
        except ServiceError:
            if known is None:
                raise
            return known
        return self._releases

    async def _description_of(self, release: int) -> EngineDescription:
        if release not in self._descriptions:
            config = await self._config_of(served_name(READER, release))
            self._descriptions[release] = tensors.to_description(config)
        return self._descriptions[release]

    async def _config_of(self, name: str) -> model_config_pb2.ModelConfig:
        answer = await _retry_once(
            lambda: self._client.get_model_config(name, client_timeout=_STATUS_TIMEOUT_SECONDS)
        )
        return answer.config

    async def model_states(self) -> tuple[ModelState, ...]:
        """See `OcrEngine.model_states`; always asks Triton for the release first."""
        releases = self._releases = read_releases(await self._config_of(PUBLIC))
        names = (await self._description_of(releases.live)).models
        states = (self._state_of(name, releases.live) for name in names)
        return tuple(await asyncio.gather(*states))

    async def is_ready(self) -> bool:
        """See `OcrEngine.is_ready`."""
        try:
            return all(model.is_ready for model in await self.model_states())
        except ServiceError:
            return False

    async def batch_sizes(self) -> Mapping[str, Mapping[int, int]]:
        """See `OcrEngine.batch_sizes`."""
        answer = await _mapped(
            lambda: self._client.get_inference_statistics(client_timeout=_STATUS_TIMEOUT_SECONDS)
        )
        return tensors.to_batch_sizes(answer)

    async def close(self) -> None:
        """Close the channel, if there is one."""
        await self._shadow.close()
        if "_client" in self.__dict__:
            await self._client.close()

    def _allow(self, pages_at_once: int) -> None:
        # A page that waits in Triton's queue is held three times: here, in gRPC and there.
        if pages_at_once != self._pages_at_once:
            self._pages_at_once = pages_at_once
            self._turns.resize(Room(pages_at_once), Room(pages_at_once))

    async def _state_of(self, name: str, release: int) -> ModelState:
        served, limit = (
            served_name(name, release),
            {"client_timeout": _STATUS_TIMEOUT_SECONDS},
        )
        is_ready = await _mapped(lambda: self._client.is_model_ready(served, **limit))
        if not is_ready:
            return ModelState(name, (), is_ready=False)
        metadata = await _mapped(lambda: self._client.get_model_metadata(served, **limit))
        sha256 = (await self._config_of(served)).parameters["sha256"].string_value
        return ModelState(name, tuple(metadata.versions), is_ready=True, sha256=sha256 or None)


async def _mapped(call: Callable[[], Awaitable[Any]]) -> Any:
    """The answer, with Triton's errors turned into the service's."""
    try:
        return await call()
    except FOREIGN_ERRORS as exc:
        raise map_triton_error(exc) from exc


async def _retry_once(call: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await _mapped(call)
    except EngineUnavailableError:
        await asyncio.sleep(_RETRY_AFTER_SECONDS)
        return await _mapped(call)

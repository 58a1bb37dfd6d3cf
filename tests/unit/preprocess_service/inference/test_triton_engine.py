"""Against a real gRPC server that speaks Triton's protocol."""

import asyncio
import inspect

import grpc
import numpy as np
import pytest
import tritonclient.utils
from google.protobuf import message as protobuf
from tritonclient.utils import InferenceServerException

from preprocess_service import metrics
from preprocess_service.errors import (
    ERRORS,
    EngineContractError,
    EngineFailedError,
    EngineTimeoutError,
    EngineUnavailableError,
)
from preprocess_service.inference import triton_engine
from preprocess_service.inference.engine import CallContext, ReadingOptions
from preprocess_service.inference.triton_engine import TritonEngine, map_triton_error
from tests.waiting import until

OPTIONS = ReadingOptions(1, "balanced", ("en",))
CONTEXT = CallContext("request-1", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
PAGE = np.zeros((20, 30, 3), np.uint8)


async def test_page_is_read_with_request_id_and_trace(engine, server):
    reading = await engine.recognize(PAGE, OPTIONS, CONTEXT)
    assert [line.text for line in reading.lines] == ["hello"]
    (request,) = server[0].requests
    assert (request.id, request.model_name) == ("request-1", "page_reading_r1")
    assert server[0].metadata[0]["traceparent"] == CONTEXT.traceparent
    assert request.raw_input_contents[0] == PAGE.tobytes()


async def test_batch_sizes_are_those_of_all_versions_of_a_model(engine):
    assert await engine.batch_sizes() == {"text_recognition": {1: 4, 8: 3}}


async def test_batch_sizes_need_a_triton(unused_tcp_port_factory):
    engine = TritonEngine(f"127.0.0.1:{unused_tcp_port_factory()}", timeout_seconds=5)
    with pytest.raises(EngineUnavailableError):
        await engine.batch_sizes()
    await engine.close()


async def test_unavailable_is_tried_once_more(engine, server):
    server[0].failures = [grpc.StatusCode.UNAVAILABLE]
    assert (await engine.recognize(PAGE, OPTIONS, CONTEXT)).release == 1
    assert len(server[0].requests) == 2


async def test_unavailable_twice_is_told(engine, server):
    server[0].failures = [grpc.StatusCode.UNAVAILABLE] * 3
    with pytest.raises(EngineUnavailableError):
        await engine.recognize(PAGE, OPTIONS, CONTEXT)
    assert len(server[0].requests) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (grpc.StatusCode.INTERNAL, EngineFailedError),
        (grpc.StatusCode.INVALID_ARGUMENT, EngineContractError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, EngineTimeoutError),
    ],
)
async def test_other_failures_are_not_tried_again(engine, server, status, error):
    server[0].failures = [status, status]
    with pytest.raises(error) as caught:
        await engine.recognize(PAGE, OPTIONS, CONTEXT)
    assert len(server[0].requests) == 1
    assert "said by Triton" not in str(caught.value)
    assert isinstance(caught.value.__cause__, InferenceServerException)


async def test_page_that_takes_too_long_is_a_timeout(server):
    server[0].hang = True
    engine = TritonEngine(server[1], timeout_seconds=0.2)
    with pytest.raises(EngineTimeoutError):
        await engine.recognize(PAGE, OPTIONS, CONTEXT)
    await engine.close()


async def test_canceling_cancels_the_call_in_triton(engine, server):
    server[0].hang = True
    call = asyncio.create_task(engine.recognize(PAGE, OPTIONS, CONTEXT))
    await until(lambda: server[0].requests)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(server[0].canceled.wait(), 5)


async def test_no_more_pages_go_to_triton_than_it_can_work_on(engine, server):
    server[0].hang = True
    assert (await engine.describe()).pages_at_once == 3
    calls = [asyncio.create_task(engine.recognize(PAGE, OPTIONS, CONTEXT)) for _ in range(8)]
    await until(lambda: len(server[0].requests) == 3)
    await asyncio.sleep(0.1)
    assert len(server[0].requests) == 3
    calls[0].cancel()
    await until(lambda: len(server[0].requests) == 4)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_nobody_there_is_unavailable(unused_tcp_port, monkeypatch):
    monkeypatch.setattr(triton_engine, "_RETRY_AFTER_SECONDS", 0.01)
    engine = TritonEngine(f"127.0.0.1:{unused_tcp_port}", timeout_seconds=5)
    with pytest.raises(EngineUnavailableError):
        await engine.describe()
    assert not await engine.is_ready()
    await engine.close()


async def test_readiness_names_models_that_are_not_ready(engine, server):
    server[0].not_ready = {"text_detection_r1"}
    states = {model.name: model for model in await engine.model_states()}
    assert list(states) == ["page_reading", "text_detection", "text_recognition"]
    assert not states["text_detection"].is_ready
    assert states["text_recognition"].versions == ("1", "2")
    assert states["text_recognition"].sha256 == "f" * 64
    assert states["page_reading"].sha256 is None
    assert not await engine.is_ready()
    server[0].not_ready = set()
    assert await engine.is_ready()


def _now(engine):
    engine._ask_again_at = 0


async def test_a_switch_is_seen_after_a_moment_though_no_page_is_read(engine, server):
    assert (await engine.describe()).release == 1
    server[0].releases = {"live": 2, "previous": 1, "canary": None}
    assert (await engine.describe()).release == 1
    _now(engine)
    assert (await engine.describe()).release == 2


async def test_a_document_stays_with_the_release_it_was_begun_with(engine, server):
    server[0].releases = {"live": 2, "previous": 1, "canary": None}
    assert (await engine.describe(None, 1)).release == 1
    assert (await engine.recognize(PAGE, OPTIONS, CONTEXT)).release == 1
    assert (await engine.describe(None, 7)).release == 2


async def test_a_canary_gets_its_share_and_a_request_always_the_same(engine, server):
    server[0].releases["canary"] = {"release": 2, "share": 0.25, "shadow": 0}
    ids = [f"request-{number}" for number in range(400)]
    chosen = [(await engine.describe(name)).release for name in ids]
    assert 60 < chosen.count(2) < 140
    assert chosen == [(await engine.describe(name)).release for name in ids]
    assert (await engine.describe()).release == 1


@pytest.mark.parametrize(
    ("text", "outcome"), [(b"hello", "alike"), (b"jello", "different"), (None, "failed")]
)
async def test_the_shadow_reads_pages_again_and_counts_what_differs(engine, server, text, outcome):
    server[0].releases["canary"] = {"release": 2, "share": 0, "shadow": 1}
    server[0].texts = {1: b"hello"} if text is None else {1: b"hello", 2: text}
    counted = metrics.SHADOW_PAGES.labels("2", outcome)._value
    before = counted.get()
    await engine.describe()
    assert (await engine.recognize(PAGE, OPTIONS, CONTEXT)).release == 1
    await until(lambda: counted.get() == before + 1)


async def test_a_triton_without_releases_names_the_command(engine, server):
    server[0].releases = {}
    with pytest.raises(EngineContractError, match="releases install"):
        await engine.describe()


async def test_last_known_release_stands_while_triton_is_away(engine, server, monkeypatch):
    assert (await engine.describe()).release == 1

    async def refuse(*args, **kwargs):
        raise InferenceServerException("", status="StatusCode.UNAVAILABLE")

    monkeypatch.setattr(engine._client, "get_model_config", refuse)
    _now(engine)
    assert (await engine.describe()).release == 1
    with pytest.raises(EngineUnavailableError):
        await engine.model_states()


async def test_large_page_fits_into_a_message(engine, server):
    page = np.zeros((3000, 4000, 3), np.uint8)
    with pytest.raises(EngineUnavailableError) as caught:
        # The server here keeps gRPC's own limit of 4 MB: the message has left this side.
        await engine.recognize(page, OPTIONS, CONTEXT)
    assert "Received message larger" in str(caught.value.__cause__)


@pytest.mark.parametrize("status", list(grpc.StatusCode))
def test_every_status_of_grpc_is_mapped(status):
    error = map_triton_error(InferenceServerException("secret", status=str(status)))
    assert error.code in ERRORS
    assert status.name in error.detail
    assert "secret" not in error.detail


def _exceptions(module):
    return {
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception)
    }


@pytest.mark.parametrize(
    "kind",
    sorted(
        set(grpc.aio.BaseError.__subclasses__()).union(
            *map(_exceptions, (grpc, grpc.aio, tritonclient.utils, protobuf))
        ),
        key=lambda kind: kind.__name__,
    ),
)
async def test_every_exception_on_the_way_to_triton_is_mapped(engine, monkeypatch, kind):
    members = {"__init__": lambda _: None, "status": lambda _: None}
    monkeypatch.setattr(triton_engine, "_RETRY_AFTER_SECONDS", 0)

    async def fail(*_, **__):
        raise type(kind.__name__, (kind,), members)

    monkeypatch.setattr(engine._client, "infer", fail)
    with pytest.raises((EngineUnavailableError, EngineFailedError, EngineContractError)):
        await engine.recognize(PAGE, OPTIONS, CONTEXT)


def test_errors_without_a_status_are_failures():
    assert isinstance(map_triton_error(InferenceServerException("odd")), EngineFailedError)

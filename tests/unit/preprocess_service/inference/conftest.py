"""A Triton that answers as a test says."""

import asyncio
import json
from collections.abc import AsyncIterator

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from preprocess_service.inference import triton_engine
from preprocess_service.inference.triton_engine import TritonEngine


class Server(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Answers one line per page; `failures` are statuses to fail the next calls with."""

    def __init__(self):
        self.failures, self.requests, self.metadata = [], [], []
        self.not_ready, self.canceled, self.hang = set(), asyncio.Event(), False
        self.releases = {"live": 1, "previous": None, "canary": None}
        self.texts = {1: b"hello", 2: b"hello"}

    async def ModelInfer(self, request, context):  # noqa: N802 - the protocol's
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        if self.failures:
            await context.abort(self.failures.pop(0), "said by Triton")
        if self.hang:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.canceled.set()
                raise
        release = int(request.model_name.split("_r")[-1])
        return _answer(release, self.texts[release])

    async def ModelConfig(self, request, context):  # noqa: N802 - the protocol's
        strategy = {
            "detection": "text_detection", "recognition": ["text_recognition"],
            "page_orientation": "never", "textline_orientation": False,
        }  # fmt: skip
        response = service_pb2.ModelConfigResponse()
        if request.name == "ocr":
            response.config.parameters["releases"].string_value = json.dumps(self.releases)
            return response
        release = int(request.name.split("_r")[-1])
        if request.name.startswith("text_"):
            response.config.parameters["sha256"].string_value = "f" * 64
            return response
        values = {"release": release, "strategies": {"speed": strategy}, "languages": {"speed": {}}}
        for key, value in values.items():
            response.config.parameters[key].string_value = json.dumps(value)
        response.config.instance_group.add(count=2)
        return response

    async def ModelReady(self, request, context):  # noqa: N802 - the protocol's
        return service_pb2.ModelReadyResponse(ready=request.name not in self.not_ready)

    async def ModelStatistics(self, request, context):  # noqa: N802 - the protocol's
        response = service_pb2.ModelStatisticsResponse()
        for version, counts in {"1": {1: 4, 8: 2}, "2": {8: 1}}.items():
            model = response.model_stats.add(name="text_recognition", version=version)
            for size, count in counts.items():
                model.batch_stats.add(batch_size=size).compute_infer.count = count
        response.model_stats.add(name="page_reading", version="1")
        return response

    async def ModelMetadata(self, request, context):  # noqa: N802 - the protocol's
        return service_pb2.ModelMetadataResponse(name=request.name, versions=["1", "2"])


def _answer(release, text):
    response = service_pb2.ModelInferResponse(model_name="page_reading")
    arrays = {
        "TEXT": ("BYTES", [1], len(text).to_bytes(4, "little") + text),
        "CONFIDENCE": ("FP32", [1], np.array([0.5], np.float32).tobytes()),
        "POLYGON": ("FP32", [1, 4, 2], np.zeros(8, np.float32).tobytes()),
        "RELEASE": ("INT32", [1], np.array([release], np.int32).tobytes()),
        "ROTATION": ("INT32", [1], np.array([0], np.int32).tobytes()),
        "WORD_SPAN": ("FP32", [0, 3], b""),
    }
    for name, (datatype, shape, data) in arrays.items():
        response.outputs.add(name=name, datatype=datatype, shape=shape)
        response.raw_output_contents.append(data)
    return response


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, str]]:
    servicer, grpc_server = Server(), grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, grpc_server)
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    await grpc_server.start()
    yield servicer, f"127.0.0.1:{port}"
    await grpc_server.stop(None)


@pytest.fixture
async def engine(server, monkeypatch) -> AsyncIterator[TritonEngine]:
    monkeypatch.setattr(triton_engine, "_RETRY_AFTER_SECONDS", 0.01)
    engine = TritonEngine(server[1], timeout_seconds=5)
    yield engine
    await engine.close()

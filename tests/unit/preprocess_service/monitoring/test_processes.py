"""The service as two processes, with a stub driver, a collector of traces and Triton's protocol."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import httpx
import pytest
import pytest_asyncio
from tritonclient.grpc import service_pb2_grpc

from preprocess_service.pages.sample_page import draw_sample_pdf
from tests.processes import running
from tests.unit.preprocess_service.inference.conftest import Server
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
PROCESS = "/api/v1/ocr/process?strategy=speed&language=auto"


@dataclass
class Collector:
    """Receives OTLP as JSON."""

    bodies: list[dict] = field(default_factory=list)

    @property
    def spans(self) -> list[dict]:
        return [
            span
            for body in self.bodies
            for resource in body["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


@dataclass
class Stack:
    client: httpx.AsyncClient
    triton: Server
    collector: Collector
    data_dir: Path
    log: Path


@pytest.fixture(scope="module")
def collector():
    received = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            received.bodies.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield received, server.server_port
    server.shutdown()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(
    collector, nvml_folder, tmp_path_factory, unused_tcp_port_factory
) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("service")
    triton, grpc_server = Server(), grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(triton, grpc_server)
    triton_port = grpc_server.add_insecure_port("127.0.0.1:0")
    await grpc_server.start()
    port = unused_tcp_port_factory()
    environment = {
        **os.environ,
        "PORT": str(port),
        "WORKERS": "2",
        "TRITON_URL": f"127.0.0.1:{triton_port}",
        "RASTERIZER_PROCESSES": "1",
        "CACHE_TTL": "0",
        "DATA_DIR": str(folder / "data"),
        "LD_LIBRARY_PATH": str(nvml_folder),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector[1]}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    log = folder / "log"
    command = [sys.executable, "-m", "preprocess_service"]
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as stderr, running(command, env=environment, stderr=stderr) as service:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            await _wait_until_both_serve(client)
            yield Stack(client, triton, collector[0], folder / "data", log)
        service.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(service.wait, 30) in (0, -signal.SIGTERM)
    await grpc_server.stop(None)


async def _wait_until_both_serve(client: httpx.AsyncClient) -> None:
    for _ in range(1200):
        try:
            if "ocr_pages_allowed 100.0\n" in (await client.get("/metrics")).text:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    pytest.fail("the service did not start")


async def _metric(stack: Stack, sample: str) -> float:
    async with httpx.AsyncClient(base_url=stack.client.base_url) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{sample} "))


async def test_the_driver_is_found_where_the_system_looks_for_libraries(stack):
    body = (await stack.client.get("/api/v1/gpu/status")).json()
    assert body["available"] is True
    assert [gpu["name"] for gpu in body["devices"]] == ["Stub GPU", "Stub GPU"]
    assert await _metric(stack, 'ocr_gpu_memory_bytes{gpu="1",state="total"}') == 16 << 30


async def test_a_trace_leads_through_the_request_and_every_page_to_triton(stack):
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "traced-1"}
    files = {"file": draw_sample_pdf()}
    answer = await stack.client.post(PROCESS, files=files, headers=headers)
    assert answer.status_code == 200, answer.text
    names = {"POST /ocr/process", "rasterize", "inference"}
    await until(lambda: {span["name"] for span in _of_trace(stack)} == names)
    spans = {span["name"]: span for span in _of_trace(stack)}
    request = spans["POST /ocr/process"]
    assert request["parentSpanId"] == PARENT
    assert spans["rasterize"]["parentSpanId"] == request["spanId"]
    assert spans["inference"]["parentSpanId"] == request["spanId"]
    sent = stack.triton.metadata[-1]["traceparent"]
    assert sent == f"00-{TRACE}-{spans['inference']['spanId']}-01"
    assert {"key": "http.route", "value": {"stringValue": "/ocr/process"}} in request["attributes"]
    assert _service_names(stack) == {"ocr-server"}


async def test_logs_of_a_request_carry_its_ids(stack):
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "logged-1"}
    await stack.client.get("/health", headers=headers)
    await until(lambda: "logged-1" in stack.log.read_text())
    (line,) = [line for line in stack.log.read_text().splitlines() if "logged-1" in line]
    entry = json.loads(line)
    assert (entry["message"], entry["path"], entry["status"]) == ("request", "/health", 200)
    assert entry["trace_id"] == TRACE
    assert len(entry["span_id"]) == 16
    assert entry["span_id"] != PARENT


async def test_failed_requests_are_failed_spans_without_what_was_uploaded(stack):
    stack.triton.failures = [grpc.StatusCode.INTERNAL]
    trace = TRACE.replace("4bf", "5bf")
    headers = {"traceparent": f"00-{trace}-{PARENT}-01"}
    answer = await stack.client.post(PROCESS, files={"file": draw_sample_pdf()}, headers=headers)
    assert answer.status_code == 502
    await until(lambda: len(_of_trace(stack, trace)) == 3)
    spans = {span["name"]: span for span in _of_trace(stack, trace)}
    assert spans["inference"]["status"] == {"code": 2, "message": "EngineFailedError"}
    assert spans["POST /ocr/process"]["status"]["code"] == 2
    assert not any(span.get("events") for span in spans.values())


async def test_processes_count_together_also_after_one_was_killed(stack):
    sample = 'ocr_requests_total{endpoint="/health",method="GET",status="200"}'
    before = await _metric(stack, sample)
    for _ in range(20):  # each over its own connection, so that both processes get some
        async with httpx.AsyncClient(base_url=stack.client.base_url) as client:
            await client.get("/health")
    assert await _metric(stack, sample) == before + 20
    assert await _metric(stack, "ocr_pages_allowed") == 100
    pids = _pids(stack)
    assert len(pids) == 2
    os.kill(min(pids), signal.SIGKILL)
    await stack.client.aclose()
    stack.client = httpx.AsyncClient(base_url=stack.client.base_url, timeout=30)
    await until(lambda: len(_pids(stack) - {min(pids)}) == 2, seconds=30)
    await _wait_until_both_serve(stack.client)
    assert await _metric(stack, sample) == before + 20


def _pids(stack: Stack) -> set[int]:
    (folder,) = (stack.data_dir / "metrics").iterdir()
    return {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*.db")}


def _of_trace(stack: Stack, trace: str = TRACE) -> list[dict]:
    spans = [span for span in stack.collector.spans if span["traceId"] == trace]
    return [span for span in spans if span["name"] != "GET /health"]


def _service_names(stack: Stack) -> set[str]:
    return {
        attribute["value"]["stringValue"]
        for body in stack.collector.bodies
        for resource in body["resourceSpans"]
        for attribute in resource["resource"]["attributes"]
        if attribute["key"] == "service.name"
    }

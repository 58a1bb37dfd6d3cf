import asyncio
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from preprocess_service import metrics
from preprocess_service.errors import EngineFailedError
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _file(data: bytes) -> dict[str, tuple[str, bytes]]:
    return {"file": ("document", data)}


async def _samples(client) -> dict[tuple[str, frozenset], float]:
    text = (await client.get("/metrics")).text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def _added(client, before, name: str, **labels: str) -> float:
    key = (name, frozenset(labels.items()))
    return (await _samples(client)).get(key, 0) - before.get(key, 0)


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_metrics_are_prometheus_text_under_both_paths(client, prefix):
    response = await client.get(f"{prefix}/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(response.text)}
    assert {"ocr_requests", "ocr_pages", "ocr_build_info", "ocr_gpu_available"} <= names


async def test_openmetrics_where_it_is_asked_for(client):
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    response = await client.get("/metrics", headers=accept)
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


async def test_a_document_counts_with_its_pages_and_stages(client, make_pdf):
    before = await _samples(client)
    answer = await client.post("/api/v1/ocr/process", files=_file(make_pdf("a", "b")))
    assert answer.status_code == 200
    labels = {"strategy": "balanced", "outcome": "succeeded"}
    assert await _added(client, before, "ocr_documents_total", **labels) == 1
    assert await _added(client, before, "ocr_pages_total", source="ocr", **labels) == 2
    assert await _added(client, before, "ocr_lines_per_page_count") == 2
    counts = {"upload": 1, "rasterize": 2, "inference": 2, "format": 1, "total": 1}
    for stage, count in counts.items():
        assert await _added(client, before, "ocr_stage_seconds_count", stage=stage) == count
    request = {"endpoint": "/ocr/process", "method": "POST"}
    assert await _added(client, before, "ocr_requests_total", status="200", **request) == 1
    assert await _added(client, before, "ocr_request_seconds_count", **request) == 1


async def test_failures_count_by_kind(client, engine, make_pdf):
    before = await _samples(client)
    engine.outcomes = [EngineFailedError("broken"), EngineFailedError("broken"), engine.default]
    assert (await client.post("/api/v1/ocr/process", files=_file(make_pdf()))).status_code == 502
    partial = await client.post("/api/v1/ocr/process", files=_file(make_pdf("a", "b")))
    assert partial.json()["status"] == "partial"
    assert (await client.post("/api/v1/ocr/process", files=_file(b"junk"))).status_code == 415
    of = {"strategy": "balanced"}
    assert await _added(client, before, "ocr_documents_total", outcome="failed", **of) == 1
    assert await _added(client, before, "ocr_documents_total", outcome="partial", **of) == 1
    failed = {"source": "ocr", "outcome": "failed"}
    assert await _added(client, before, "ocr_pages_total", **failed, **of) == 2
    assert await _added(client, before, "ocr_rejections_total", code="engine_failed") == 1
    assert await _added(client, before, "ocr_rejections_total", code="unsupported_media_type") == 1


async def test_a_caller_that_leaves_counts_and_leaves_nothing_in_work(client, engine, make_pdf):
    before = await _samples(client)
    engine.gate = asyncio.Event()
    request = asyncio.create_task(
        client.post("/api/v1/ocr/process", files=_file(make_pdf("a", "b")))
    )
    await until(lambda: engine.in_flight)
    assert await _added(client, before, "ocr_documents_in_work") == 1
    assert await _added(client, before, "ocr_pages_in_flight") >= 1
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    labels = {"strategy": "balanced", "outcome": "canceled"}
    assert await _added(client, before, "ocr_documents_total", **labels) == 1
    for gauge in ("ocr_documents_in_work", "ocr_pages_in_flight", "ocr_page_bytes_in_flight"):
        assert await _added(client, before, gauge) == 0


async def test_paths_and_methods_that_callers_invent_are_no_labels(client):
    await client.get("/api/v1/invented/12345")
    await client.request("INVENTED", "/health")
    text = (await client.get("/metrics")).text
    assert "12345" not in text
    assert "INVENTED" not in text
    assert 'ocr_requests_total{endpoint="other",method="GET",status="404"}' in text


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_stats_say_how_the_service_does(client, make_pdf, prefix):
    metrics.JOBS.clear()  # what tests of jobs left in this process
    before = (await client.get(f"{prefix}/stats")).json()
    await client.post("/api/v1/ocr/process", files=_file(make_pdf("a", "b")))
    await client.get("/nothing")
    stats = (await client.get(f"{prefix}/stats")).json()
    assert stats["uptime_seconds"] > 0
    assert stats["pages"]["total"] == before["pages"]["total"] + 2
    assert stats["documents"]["total"] == before["documents"]["total"] + 1
    assert stats["requests"]["total"] >= before["requests"]["total"] + 3
    assert stats["errors"]["by_code"]["not_found"] >= 1
    assert set(stats["pages"]["per_second"]) == {"1m", "5m", "15m"}
    assert stats["pages"]["per_second"]["1m"] > 0
    assert stats["queue"] == {
        "documents_in_work": 0, "pages_in_flight": 0, "pages_allowed": 50, "jobs": None,
    }  # fmt: skip
    inference = stats["latency_ms"]["inference"]
    assert inference["count"] >= 2
    assert 0 < inference["p50"] <= inference["p90"] <= inference["p95"] <= inference["p99"]


async def test_no_gpu_is_said_with_its_reason_and_without_figures(client):
    body = (await client.get("/gpu/status")).json()
    if body["available"]:
        assert body["devices"]
    else:
        assert set(body) == {"available", "reason"}
        assert body["reason"]


async def test_build_and_start_are_told(client):
    text = (await client.get("/metrics")).text
    assert re.search(r'^ocr_build_info{version="[\d.]+"} 1\.0$', text, re.MULTILINE)
    assert re.search(r"^ocr_start_time_seconds 1\.\d+e\+09$", text, re.MULTILINE)


@pytest.mark.parametrize("version", ["x", "1.x", "9" * 5000, ""])
async def test_metrics_come_whatever_version_is_asked_for(client, version):
    for media_type in ("application/openmetrics-text", "text/plain"):
        asked = {"Accept": f"{media_type};version={version}"}
        assert (await client.get("/metrics", headers=asked)).status_code == 200

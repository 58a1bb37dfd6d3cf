import pytest

from preprocess_service.errors import EngineUnavailableError
from preprocess_service.formatting import FORMATS

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_health_needs_nobody_else(client, engine, prefix):
    engine.away = EngineUnavailableError("gone")
    response = await client.get(f"{prefix}/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_ready_when_every_model_is(client, engine, prefix):
    assert (await client.get(f"{prefix}/ready")).json() == {"status": "ready", "release": 1}
    engine.not_ready = ("text_detection",)
    response = await client.get(f"{prefix}/ready")
    assert response.status_code == 503
    assert response.json()["detail"] == "Models that are not ready: text_detection."
    assert "retry-after" in response.headers


async def test_not_ready_while_triton_is_away(client, engine):
    engine.away = EngineUnavailableError("Triton answered UNAVAILABLE.")
    response = await client.get("/ready")
    assert (response.status_code, response.json()["code"]) == (503, "engine_unavailable")


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_models_tell_what_the_server_can_do(client, prefix):
    body = (await client.get(f"{prefix}/models")).json()
    assert body["release"] == 1
    assert body["models"][0] == {
        "name": "page_reading", "versions": ["1"], "ready": True, "sha256": None,
    }  # fmt: skip
    assert body["languages"]["balanced"] == ["de", "en", "zh"]
    assert body["output_formats"] == list(FORMATS)
    assert body["limits"]["max_file_size_mb"] == 2


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("path", ["models", "stats", "gpu/status"])
async def test_a_parameter_that_would_be_ignored_is_refused(client, prefix, path):
    answer = await client.get(f"{prefix}/{path}", params={"language": "de"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["detail"] == "'language': no such parameter; there are none here."


@pytest.mark.parametrize("path", ["health", "ready", "metrics"])
async def test_probes_may_add_what_they_like(client, path):
    assert (await client.get(f"/{path}", params={"t": "1"})).status_code == 200


async def test_unknown_paths_and_methods_are_problems(client):
    missing = await client.get("/api/v1/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    wrong = await client.get("/api/v1/ocr/process")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"

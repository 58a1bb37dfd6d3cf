import json

import pytest

from preprocess_service.api.openapi.document import DOCUMENT_ERRORS
from preprocess_service.errors import StorageFullError, StorageUnavailableError
from preprocess_service.formatting import FORMATS
from preprocess_service.options import OcrOptions
from preprocess_service.settings import Settings
from preprocess_service.wiring import make_app
from tests.fakes import FakeEngine


@pytest.fixture(scope="module")
def schema():
    return make_app(Settings(), FakeEngine()).openapi()


def test_paths_are_those_of_the_contract(schema):
    assert set(schema["paths"]) == {
        "/api/v1/ocr/process", "/api/v1/ocr/process-batch", "/api/v1/ocr/image", "/api/v1/ocr/pdf",
        "/api/v1/ocr/url", "/api/v1/health", "/api/v1/ready", "/api/v1/models",
        "/api/v1/metrics", "/api/v1/stats", "/api/v1/gpu/status",
        "/api/v1/jobs", "/api/v1/jobs/submit", "/api/v1/jobs/{job_id}",
        "/api/v1/jobs/{job_id}/status", "/api/v1/jobs/{job_id}/result",
        "/api/v1/jobs/{job_id}/events",
    }  # fmt: skip


def test_every_status_has_its_problem_body_with_an_example_of_each_error(schema):
    responses = schema["paths"]["/api/v1/ocr/url"]["post"]["responses"]
    raised = (*DOCUMENT_ERRORS, StorageFullError, StorageUnavailableError)
    assert set(responses) == {"200", *(str(int(error.status)) for error in raised)}
    for error in raised:
        response = responses[str(int(error.status))]
        assert set(response["content"]) == {"application/problem+json"}
        body = response["content"]["application/problem+json"]
        assert body["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert body["examples"][error.code]["value"]["status"] == error.status


def test_document_is_described_in_every_format(schema):
    content = schema["paths"]["/api/v1/ocr/process"]["post"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Document"}
    assert content["text/plain"]["schema"] == {"type": "string"}
    assert set(content) == {item.media_type.partition(";")[0] for item in FORMATS.values()}
    assert len(content) == len(FORMATS)


@pytest.mark.parametrize(
    ("path", "refused"),
    [("process", set()), ("pdf", set()), ("image", {"dpi", "password", "scrub"})],
)
def test_form_takes_the_file_and_every_option_that_means_something(schema, path, refused):
    operation = schema["paths"][f"/api/v1/ocr/{path}"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", *OcrOptions.model_fields} - refused
    in_query = {item["name"] for item in operation["parameters"] if item["in"] == "query"}
    assert in_query == set(OcrOptions.model_fields) - {"password"} - refused


def test_every_reference_resolves(schema):
    names = {part.split('"')[0] for part in json.dumps(schema).split("#/components/schemas/")[1:]}
    assert names <= set(schema["components"]["schemas"])

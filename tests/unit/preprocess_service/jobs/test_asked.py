"""What a caller asks of jobs is honored or refused, never ignored."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from preprocess_service.errors import EngineContractError
from preprocess_service.wiring import make_web
from tests.unit.preprocess_service.jobs.conftest import (
    JOBS,
    finished,
    numbered_pdf,
    running_worker,
    submit,
)


async def test_the_result_comes_as_submitted_unless_asked_otherwise(client, worker):
    job_id = await submit(client, numbered_pdf(1), output_format="text")
    await finished(client, job_id)
    result = await client.get(f"{JOBS}/{job_id}/result")
    assert result.headers["content-type"].startswith("text/plain")
    asked = {"accept": "application/json"}
    result = await client.get(f"{JOBS}/{job_id}/result", headers=asked)
    assert result.json()["status"] == "succeeded"
    asked = {"accept": "application/xml, */*;q=0.1"}
    result = await client.get(f"{JOBS}/{job_id}/result", headers=asked)
    assert result.headers["content-type"] == "application/xml"
    asked = {"accept": "image/png"}
    result = await client.get(f"{JOBS}/{job_id}/result", headers=asked)
    assert (result.status_code, result.json()["code"]) == (406, "not_acceptable")


async def test_jobs_are_listed_page_by_page_and_by_status(client, redis):
    ids = [await submit(client, numbered_pdf(1)) for _ in range(5)]
    await client.delete(f"{JOBS}/{ids[0]}")
    first = (await client.get(JOBS, params={"limit": 3})).json()
    assert [job["job_id"] for job in first["jobs"]] == ids[:1:-1]
    rest = (await client.get(JOBS, params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [job["job_id"] for job in rest["jobs"]] == ids[1::-1]
    assert rest["next_cursor"] is None
    canceled = (await client.get(JOBS, params={"status": "canceled"})).json()["jobs"]
    assert [job["job_id"] for job in canceled] == ids[:1]
    await redis.delete(f"ocr:job:{ids[3]}")  # forgotten while it is listed
    first = (await client.get(JOBS, params={"limit": 2})).json()
    assert ([job["job_id"] for job in first["jobs"]], first["next_cursor"]) == ([ids[4]], ids[3])


async def test_the_filters_of_the_list_are_met_together(client, worker, engine):
    engine.outcomes = [EngineContractError("wrong tensors")]
    job_id = await submit(client, numbered_pdf(1))
    await finished(client, job_id)
    await finished(client, await submit(client, b"%PDF-1.7 and nothing else"))
    for status, listed in (("failed", [job_id]), ("queued", []), ("succeeded", [])):
        both = {"dead_letter": True, "status": status}
        found = (await client.get(JOBS, params=both)).json()["jobs"]
        assert [job["job_id"] for job in found] == listed


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", "?statuss=queued", "statuss"),
        ("GET", "?status=queued&status=failed", "status"),
        ("GET", f"/{'0' * 32}/status?waiting=3", "waiting"),
        ("GET", f"/{'0' * 32}/result?format=text", "format"),
        ("GET", f"/{'0' * 32}/events?after=3", "after"),
        ("DELETE", f"/{'0' * 32}?force=true", "force"),
    ],
)
async def test_a_parameter_that_would_be_ignored_is_refused(client, method, path, named):
    answer = await client.request(method, f"{JOBS}{path}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["detail"].startswith(f"{named!r}: ")


@pytest.mark.parametrize(
    "request_body",
    [
        {"files": {"document": numbered_pdf(1)}, "data": {"url": "https://example.com/a.pdf"}},
        {"files": {"file": numbered_pdf(1)}, "data": {"url": "https://example.com/a.pdf"}},
        {
            "content": '{"url": "https://example.com/a", "url": "https://example.com/b"}',
            "headers": {"content-type": "application/json"},
        },
    ],
)
async def test_of_two_documents_none_is_ignored(client, request_body):
    answer = await client.post(f"{JOBS}/submit", **request_body)
    assert answer.status_code == 422
    assert (await client.get(JOBS)).json()["jobs"] == []


async def test_options_of_a_submission_may_stand_in_the_query(client):
    asked = [("language", "en"), ("language", "de"), ("dpi", "150")]
    answer = await client.post(f"{JOBS}/submit", params=asked, files={"file": numbered_pdf(1)})
    assert answer.status_code == 202
    answer = await client.post(f"{JOBS}/submit?dip=150", files={"file": numbered_pdf(1)})
    assert answer.json()["detail"].startswith("dip: ")


class Files(BaseHTTPRequestHandler):
    """Serves one PDF at `/scan.pdf`."""

    def do_GET(self) -> None:
        found = self.path == "/scan.pdf"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(numbered_pdf(2) if found else b"")

    def log_message(self, *_: object) -> None:
        pass


async def test_a_link_is_fetched_by_the_worker_under_the_rules(client, settings, engine):
    with HTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        open_to_it = settings.model_copy(update={"url_allowed_hosts": (host,)})
        web = make_web(open_to_it)
        async with running_worker(open_to_it, engine, web):
            accepted = await client.post(
                f"{JOBS}/submit", json={"url": f"http://{host}/scan.pdf", "language": ["en", "de"]}
            )
            status = await finished(client, accepted.json()["job_id"])
            assert (status["status"], status["pages_done"]) == ("succeeded", 2)
            for url in (f"http://{host}/none.pdf", "http://127.0.0.1:9/inside"):
                accepted = await client.post(f"{JOBS}/submit", data={"url": url})
                status = await finished(client, accepted.json()["job_id"])
                assert (status["status"], status["dead_letter"]) == ("failed", False)
        server.shutdown()

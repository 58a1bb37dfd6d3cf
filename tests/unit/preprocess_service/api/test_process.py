"""`POST /api/v1/ocr/process`, through the app, with real rasterizing processes."""

import asyncio
import tempfile
from functools import partial
from pathlib import Path

import pytest

from preprocess_service.errors import EngineFailedError, EngineUnavailableError
from tests.fakes import FakeEngine, make_line
from tests.unit.preprocess_service.conftest import open_client
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "/api/v1/ocr/process"


def _file(data: bytes, name: str = "upload"):
    return {"file": (name, data, "application/octet-stream")}


def _assert_problem(response, status, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == {
        "type", "title", "status", "detail", "code", "request_id", "retryable",
    }  # fmt: skip
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


async def test_pdf_becomes_a_document(client, engine, make_pdf):
    response = await client.post(URL, files=_file(make_pdf("a", "b", title="T")))
    assert response.status_code == 200
    document = response.json()
    assert set(document) == {
        "request_id", "status", "release", "strategy", "language", "processing_ms", "cache_hit",
        "metadata", "text", "pages",
    }  # fmt: skip
    assert set(document["processing_ms"]) == {
        "rasterize", "enhance", "inference", "format", "total",
    }  # fmt: skip
    assert document["metadata"]["pages"] == 2
    assert document["metadata"]["title"] == "T"
    assert [page["text"] for page in document["pages"]] == ["hello world"] * 2
    assert set(document["pages"][0]) == {
        "number", "width", "height", "dpi", "rotation", "skew_degrees", "source", "text",
        "confidence", "quality", "enhanced", "lines", "lines_omitted", "problem",
    }  # fmt: skip
    assert document["pages"][0]["lines"][0] == {
        "text": "hello world",
        "confidence": 0.9,
        "polygon": [[0, 0], [100, 0], [100, 20], [0, 20]],
        "bbox": [0, 0, 100, 20],
        "row": 1,
        "words": None,
    }
    # 200 by 100 points at 120 dpi.
    assert (document["pages"][0]["width"], document["pages"][0]["height"]) == (334, 167)
    assert engine.pages[0].min() < 255


async def test_image_keeps_its_own_pixels(client, make_image):
    response = await client.post(URL, files=_file(make_image("JPEG", dpi=(300, 300))))
    page = response.json()["pages"][0]
    assert (page["width"], page["height"], page["dpi"]) == (40, 20, 300)


async def test_type_is_found_from_the_bytes(client, make_image):
    response = await client.post(URL, files={"file": ("a.pdf", make_image(), "application/pdf")})
    assert response.json()["metadata"]["media_type"] == "image/png"


async def test_options_come_from_form_and_query(client, engine, make_pdf):
    response = await client.post(
        f"{URL}?dpi=72&language=de",
        files=_file(make_pdf(*"abc")),
        data={"strategy": "speed", "page_range": "2-", "language": "en"},
    )
    document = response.json()
    assert [page["number"] for page in document["pages"]] == [2, 3]
    assert (document["strategy"], document["language"]) == ("speed", ["de", "en"])
    assert document["pages"][0]["dpi"] == 72
    assert engine.options[0].strategy == "speed"


async def test_text_by_option_or_by_accept(client, make_pdf):
    files = _file(make_pdf("a", "b"))
    for sent in ({"data": {"output_format": "text"}}, {"headers": {"Accept": "text/plain"}}):
        response = await client.post(URL, files=files, **sent)
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.text == "hello world\n\fhello world\n"
    response = await client.post(
        URL, files=files, data={"output_format": "json"}, headers={"Accept": "text/plain"}
    )
    assert response.json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"text_layer": "both"}, "text_layer"),
        ({"output_format": "docx"}, "output_format"),
        ({"sharpen": "1"}, "sharpen: no such option"),
        ({"dpi": "10"}, "dpi"),
        ({"language": "tlh"}, "language: no installed model writes 'tlh'; available: auto, de"),
        ({"page_range": "7"}, "page 7 does not exist, the document has 1"),
    ],
)
async def test_option_that_cannot_be_honoured_is_named(client, engine, make_pdf, options, named):
    response = await client.post(URL, files=_file(make_pdf()), data=options)
    assert named in _assert_problem(response, 422, "invalid_options")["detail"]
    assert engine.pages == []


async def test_unacceptable_format_is_406(client, make_pdf):
    response = await client.post(URL, files=_file(make_pdf()), headers={"Accept": "image/png"})
    _assert_problem(response, 406, "not_acceptable")


async def test_body_that_is_no_form_with_a_file_is_refused(client):
    _assert_problem(await client.post(URL, json={}), 415, "unsupported_media_type")
    _assert_problem(await client.post(URL, files={"other": b"x"}), 422, "invalid_request")
    _assert_problem(
        await client.post(URL, data={"file": "x"}, files={"a": b""}), 422, "invalid_request"
    )
    broken = await client.post(
        URL, content=b"--nothing", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    _assert_problem(broken, 422, "invalid_request")


async def test_a_file_named_only_in_the_extended_way_is_read(client, make_pdf):
    body = (
        b"--b\r\nContent-Disposition: form-data; name=file; filename*=UTF-8''na%C3%AFve.pdf\r\n\r\n"
        + make_pdf()
        + b"\r\n--b--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert (await client.post(URL, content=body, headers=headers)).status_code == 200


async def test_a_full_disk_is_507_for_a_small_file_too(client, make_pdf, monkeypatch):
    # The kernel's own full disk.
    monkeypatch.setattr(tempfile, "TemporaryFile", partial(Path("/dev/full").open, "wb", 0))
    response = await client.post(URL, files=_file(make_pdf()))
    assert "TMPDIR" in _assert_problem(response, 507, "storage_full")["detail"]


async def test_a_file_in_another_field_is_refused_not_ignored(client, make_pdf):
    files = {"file": make_pdf(), "files": make_pdf()}
    response = await client.post(f"{URL}-batch", files=files)
    assert "`files`" in _assert_problem(response, 422, "invalid_request")["detail"]


async def test_unknown_type_is_415_and_nothing_is_422(client):
    _assert_problem(await client.post(URL, files=_file(b"<html>")), 415, "unsupported_media_type")
    _assert_problem(await client.post(URL, files=_file(b"")), 422, "invalid_document")
    _assert_problem(await client.post(URL, files=_file(b"%PDF-1.4 x")), 422, "invalid_document")


async def test_file_over_the_limit_is_413(client):
    response = await client.post(URL, files=_file(b"x" * (2 << 20) + b"y"))
    assert (
        "2 MB (MAX_FILE_SIZE_MB)" in _assert_problem(response, 413, "document_too_large")["detail"]
    )


async def test_endless_body_is_cut_at_the_limit(client):
    sent = 0

    async def endless():
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        while True:
            sent += 1 << 16
            yield b"x" * (1 << 16)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = await asyncio.wait_for(
        client.post(URL, content=_bounded(endless()), headers=headers), 30
    )
    _assert_problem(response, 413, "document_too_large")


async def _bounded(chunks, most=200):
    """httpx's transport reads a whole body before it answers: end the endless one far too late."""
    async for chunk in chunks:
        yield chunk
        most -= 1
        if not most:
            return


async def test_too_many_pages_is_413(client, make_pdf):
    response = await client.post(URL, files=_file(make_pdf(*["x"] * 21)))
    _assert_problem(response, 413, "too_many_pages")


async def test_partial_document_says_so(settings, make_pdf):
    engine = FakeEngine(outcomes=[EngineFailedError("boom")])
    async with open_client(settings, engine) as client:
        response = await client.post(URL, files=_file(make_pdf("a", "b")))
    assert response.headers["x-ocr-status"] == "partial"
    document = response.json()
    assert document["status"] == "partial"
    assert document["pages"][0]["problem"]["code"] == "engine_failed"
    assert document["pages"][1]["problem"] is None


async def test_document_whose_every_page_fails_is_an_error(settings, make_pdf):
    engine = FakeEngine(outcomes=[EngineFailedError("boom")])
    async with open_client(settings, engine) as client:
        response = await client.post(URL, files=_file(make_pdf("a")))
        _assert_problem(response, 502, "engine_failed")


async def test_triton_away_is_503_with_retry_after(settings, make_pdf):
    engine = FakeEngine(away=EngineUnavailableError("Triton answered UNAVAILABLE."))
    async with open_client(settings, engine) as client:
        response = await client.post(URL, files=_file(make_pdf()))
    assert _assert_problem(response, 503, "engine_unavailable")["retryable"]
    assert int(response.headers["retry-after"]) > 0


async def test_deadline_is_504_and_stops_the_work(settings, make_pdf):
    engine = FakeEngine()
    engine.gate = asyncio.Event()
    limited = settings.model_copy(update={"request_timeout": 0.5})
    async with open_client(limited, engine) as client:
        response = await client.post(URL, files=_file(make_pdf("a", "b")))
        _assert_problem(response, 504, "deadline_exceeded")
        assert (engine.in_flight, engine.canceled) == (0, 2)


async def test_one_document_too_many_is_429_with_retry_after(settings, make_pdf):
    engine = FakeEngine()
    engine.gate = asyncio.Event()
    limited = settings.model_copy(update={"max_concurrent_documents": 1})
    async with open_client(limited, engine) as client:
        first = asyncio.create_task(client.post(URL, files=_file(make_pdf())))
        await until(lambda: engine.in_flight)
        refused = await client.post(URL, files=_file(make_pdf()))
        assert int(refused.headers["retry-after"]) > 0
        assert _assert_problem(refused, 429, "queue_full")["retryable"]
        engine.gate.set()
        assert (await first).status_code == 200
        assert (await client.post(URL, files=_file(make_pdf()))).status_code == 200


async def test_request_id_goes_in_and_out_and_to_the_engine(client, engine, make_image):
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    headers = {"X-Request-ID": "mine-1", "traceparent": trace}
    response = await client.post(URL, files=_file(make_image()), headers=headers)
    assert response.headers["x-request-id"] == response.json()["request_id"] == "mine-1"
    assert (engine.contexts[0].request_id, engine.contexts[0].traceparent) == ("mine-1", trace)


@pytest.mark.parametrize("odd", ["a b", "x" * 129, 'a"b'])
async def test_odd_request_id_is_replaced(client, odd):
    response = await client.get("/health", headers={"X-Request-ID": odd})
    assert len(response.headers["x-request-id"]) == 32


async def test_nothing_of_the_upload_is_logged(client, engine, make_pdf, caplog):
    engine.default = type(engine.default)((make_line("classified words"),), 0, 1)
    with caplog.at_level("DEBUG"):
        await client.post(
            URL, files=_file(make_pdf("classified", title="classified"), "classified.pdf"),
            data={"password": "classified"},
        )  # fmt: skip
        await client.post(URL, files=_file(b"%PDF-1.4 classified"))
        refused = {"password": "classified" * 200, "dpi": "classified"}
        assert (await client.post(URL, files=_file(b"x"), data=refused)).status_code == 422
    own = [record for record in caplog.records if record.name.startswith("preprocess_service")]
    assert own
    assert not [record for record in own if "classified" in str(vars(record))]


async def test_unforeseen_failure_is_a_plain_500_with_the_request_s_id(settings, make_pdf):
    engine = FakeEngine()
    engine.outcomes = [object()]  # makes the pipeline trip
    async with open_client(settings, engine) as client:
        response = await client.post(
            URL, files=_file(make_pdf()), headers={"X-Request-ID": "mine-2"}
        )
    problem = _assert_problem(response, 500, "internal_error")
    assert (problem["request_id"], problem["detail"]) == (
        "mine-2", "The request failed; the cause is in the log.",
    )  # fmt: skip

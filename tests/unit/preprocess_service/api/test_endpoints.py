import asyncio
import http.server
import threading
from functools import partial

import pytest
from asgi_lifespan import LifespanManager

from preprocess_service.settings import Settings
from preprocess_service.wiring import make_app
from tests.fakes import FakeEngine
from tests.unit.preprocess_service.conftest import open_client
from tests.waiting import until

PREFIX = "/api/v1/ocr"


@pytest.fixture
def web(tmp_path):
    """host:port of a server of files."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.asyncio(loop_scope="module")
async def test_each_takes_its_own_kind(client, make_pdf, make_image):
    pdf, image = {"file": make_pdf("a", "b")}, {"file": make_image()}
    assert len((await client.post(f"{PREFIX}/pdf", files=pdf)).json()["pages"]) == 2
    assert (await client.post(f"{PREFIX}/image", files=image)).status_code == 200
    for endpoint, files in (("pdf", image), ("image", pdf)):
        refused = await client.post(f"{PREFIX}/{endpoint}", files=files)
        assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.asyncio(loop_scope="module")
async def test_one_bad_file_fails_no_other(client, settings, make_pdf):
    too_large = b"%PDF-1.7" + bytes(settings.max_file_size_mb << 20)
    files = [
        ("files", ("a.pdf", make_pdf("a"))),
        ("files", ("b.txt", b"no document")),
        ("files", ("c.pdf", make_pdf("c", "d"))),
        ("files", ("d.pdf", too_large)),
    ]
    answer = await client.post(f"{PREFIX}/process-batch", files=files)
    assert answer.status_code == 200
    first, second, third, fourth = answer.json()["documents"]
    assert first["file_name"] == "a.pdf"
    assert first["problem"] is None
    assert len(third["document"]["pages"]) == 2
    assert second["document"] is None
    assert second["problem"]["code"] == "unsupported_media_type"
    assert fourth["problem"]["code"] == "document_too_large"
    assert second["problem"]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.asyncio(loop_scope="module")
async def test_batch_in_other_formats(client, make_pdf):
    files = [("files", ("a.pdf", make_pdf("a")))]
    answer = await client.post(
        f"{PREFIX}/process-batch", files=files, data={"output_format": "text"}
    )
    assert answer.json()["documents"][0]["content"] == "hello world\n"
    refused = await client.post(
        f"{PREFIX}/process-batch", files=files, data={"output_format": "pdf"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_options")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("option", "value"), [("dpi", "150"), ("password", "secret")])
async def test_what_changes_nothing_for_images_is_refused_where_only_they_are_read(
    client, make_image, option, value
):
    given = {"files": {"file": make_image()}, "data": {option: value}}
    refused = await client.post(f"{PREFIX}/image", **given)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_options")
    assert refused.json()["detail"].startswith(f"{option}: ")
    assert (await client.post(f"{PREFIX}/process", **given)).status_code == 200


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("option", "output_format"), [("merge_pages", "hocr"), ("words", "text"), ("words", "html")]
)
async def test_an_option_that_the_format_does_not_show_is_refused(
    client, make_pdf, option, output_format
):
    data = {option: "true", "output_format": output_format}
    files = {"file": make_pdf("a")}
    refused = await client.post(f"{PREFIX}/process", files=files, data=data)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_options")
    assert refused.json()["detail"].startswith(f"{option}: ")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("count", [0, 101])
async def test_batch_bounds_its_files(client, count):
    files = [("files", (f"{n}.pdf", b"x")) for n in range(count)] or [("other", b"x")]
    refused = await client.post(f"{PREFIX}/process-batch", files=files)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


async def test_documents_by_url(web, tmp_path, make_pdf):
    (tmp_path / "scan.pdf").write_bytes(make_pdf("a"))
    settings = Settings(url_allowed_hosts=web, rasterizer_processes=1, cache_ttl=0)
    async with open_client(settings, FakeEngine()) as client:
        url = f"{PREFIX}/url"
        found = await client.post(url, json={"url": f"http://{web}/scan.pdf", "language": ["en"]})
        assert found.status_code == 200, found.text
        assert found.json()["metadata"]["media_type"] == "application/pdf"
        missing = await client.post(url, json={"url": f"http://{web}/none.pdf"})
        assert (missing.status_code, missing.json()["code"]) == (422, "url_refused")
        inside = await client.post(url, json={"url": "http://127.0.0.1:1/"})
        assert (inside.status_code, inside.json()["code"]) == (403, "url_forbidden")
        for body in ({}, {"url": "file:///etc/passwd"}, {"url": "http://a/", "dpi": 1}, []):
            assert (await client.post(url, json=body)).status_code == 422
        assert (await client.post(url, data={"url": "http://a/"})).status_code == 415


@pytest.mark.asyncio(loop_scope="module")
async def test_head_is_get_without_body(client):
    got, head = await client.get("/health"), await client.head("/health")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    options = await client.options(f"{PREFIX}/process")
    assert (options.status_code, options.headers["allow"]) == (204, "POST")


async def test_client_that_leaves_stops_the_work(make_pdf):
    engine, url = FakeEngine(), f"{PREFIX}/process"
    engine.gate = asyncio.Event()
    app = make_app(Settings(rasterizer_processes=1), engine)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        + make_pdf("a", "b")
        + b"\r\n--b--\r\n"
    )
    scope = {
        "type": "http", "method": "POST", "path": url, "raw_path": url.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"multipart/form-data; boundary=b")], "http_version": "1.1",
        "scheme": "http", "server": ("test", 80), "client": ("test", 1), "root_path": "",
    }  # fmt: skip
    arriving = asyncio.Queue()
    arriving.put_nowait({"type": "http.request", "body": body, "more_body": False})
    sent = []

    async def send(message):
        sent.append(message)

    async with LifespanManager(app, startup_timeout=60):
        serving = asyncio.create_task(app(scope, arriving.get, send))
        await until(lambda: engine.in_flight == 2)
        arriving.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(serving, 5)
        assert (engine.in_flight, engine.canceled) == (0, 2)
        assert sent[0]["status"] == 499
        assert app.state.services.slots.taken == 0
    assert engine.closed

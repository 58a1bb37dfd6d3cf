"""`python -m preprocess_service`, as a process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pymupdf
import pytest

from preprocess_service import __main__ as main
from preprocess_service.pages.sample_page import SAMPLE_LINES, draw_sample_pdf
from tests.processes import running

COMMAND = [sys.executable, "-m", "preprocess_service"]


def test_misspelt_setting_stops_the_start_with_a_message(tmp_path):
    done = subprocess.run(
        COMMAND, env={**os.environ, "TRITON_ULR": "x"}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "TRITON_ULR looks like the setting TRITON_URL misspelt" in done.stderr
    assert "Traceback" not in done.stderr


def test_sample_is_a_scan_of_the_text_that_it_tells():
    sample = subprocess.run([*COMMAND, "sample"], capture_output=True, timeout=60).stdout
    with pymupdf.open(stream=sample, filetype="pdf") as pdf:
        assert pdf.page_count == 1
        assert pdf[0].get_text().strip() == ""
        assert len(pdf[0].get_images()) == 1
    told = subprocess.run([*COMMAND, "sample", "--text"], capture_output=True, timeout=60)
    assert told.stdout.decode().splitlines() == list(SAMPLE_LINES)


def test_service_lives_without_triton_and_stops_when_told(unused_tcp_port_factory):
    port, nobody = unused_tcp_port_factory(), unused_tcp_port_factory()
    environment = {
        **os.environ,
        "PORT": str(port),
        "TRITON_URL": f"127.0.0.1:{nobody}",
        "RASTERIZER_PROCESSES": "1",
    }
    with (
        running(COMMAND, env=environment, stderr=subprocess.PIPE, text=True) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
    ):
        _wait_for_health(client)
        assert client.get("/ready").status_code == 503
        refused = client.post("/api/v1/ocr/process", files={"file": draw_sample_pdf()})
        assert (refused.status_code, refused.json()["code"]) == (503, "engine_unavailable")
        service.send_signal(signal.SIGTERM)
        _, log = service.communicate(timeout=60)
    assert service.returncode in (0, -signal.SIGTERM)
    entries = [json.loads(line) for line in log.splitlines()]
    assert any(entry["message"] == "request failed" for entry in entries)


def _wait_for_health(client: httpx.Client) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):
            if client.get("/health").status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail("the service did not start")


@pytest.mark.parametrize("command", [(), ("serve",), ("worker",)])
def test_what_serves_writes_for_its_own_account_alone(monkeypatch, command):
    seen = []
    before = os.umask(0o022)
    try:
        monkeypatch.setattr(sys, "argv", ["preprocess_service", *command])
        for name in ("serve", "run_worker"):
            monkeypatch.setattr(main, name, lambda: seen.append(os.umask(0)) or 0)
        assert main.main() == 0
    finally:
        os.umask(before)
    assert seen == [0o077]

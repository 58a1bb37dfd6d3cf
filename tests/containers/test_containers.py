"""The life of an instance in containers, from `make up` on a clean clone to nothing left.

Each step begins where the one before ended, so they run in this order, and the first that fails
ends the run.
"""

import json
import re
from pathlib import Path

import httpx
import pytest

from quality.drawn.folder import draw_folder
from tests.containers.instance import SERVICES, Instance, container, docker, wait_for
from tests.drawing import assert_reads, draw_page, sentence, to_png

KEY, OPERATOR = "a-key-of-a-caller-of-these-tests", "a-key-of-an-operator"
LINES = [sentence(row) for row in range(4)]
PAGE = to_png(draw_page(LINES))
GOLDEN = {"letter_en.png", "receipt_en.jpg"}
#: A table of its own makes a release of its own.
TABLE = 'extends = "/app/export/models.toml"\nmax_pixels = 110_000_000\n'
# Mount points: Docker makes the folders that a secret is seen in.
MOUNT_POINT = re.compile(r"[AC] /run(/secrets(/\w+)?)?")


def read(client: httpx.Client) -> int:
    """Have a page read, and return which release did."""
    headers = {"Cache-Control": "no-cache, no-store"}
    answer = client.post("/api/v1/ocr/process", files={"file": ("page.png", PAGE)}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert_reads([line["text"] for line in answer.json()["pages"][0]["lines"]], LINES)
    return int(answer.json()["release"])


def submit(client: httpx.Client) -> str:
    answer = client.post("/api/v1/jobs/submit", files={"file": ("page.png", PAGE)})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def status(client: httpx.Client, job: str) -> str:
    return str(client.get(f"/api/v1/jobs/{job}/status").json().get("status"))


def assert_result(client: httpx.Client, job: str) -> None:
    result = client.get(f"/api/v1/jobs/{job}/result", params={"output_format": "json"})
    assert result.status_code == 200, result.text
    assert_reads([line["text"] for line in result.json()["pages"][0]["lines"]], LINES)


@pytest.fixture(scope="session")
def jobs() -> list[str]:
    """Jobs that were done so far."""
    return []


def test_make_up_on_a_clean_clone_gets_healthy(instance: Instance):
    told = instance.make("up")
    assert f"Ready: http://localhost:{instance.port}, " in told
    assert f"dashboards: http://localhost:{instance.grafana_port} " in told
    assert "Open to this machine alone" in told
    assert all(map(instance.is_healthy, SERVICES))
    assert instance.inspect("models")["State"]["ExitCode"] == 0


def test_a_document_is_read(instance: Instance):
    with instance.client() as client:
        assert read(client) == 1


def test_jobs_are_read_by_the_worker_also_those_that_waited_for_it(instance: Instance, jobs):
    with instance.client() as client:
        jobs.append(submit(client))
        wait_for(lambda: status(client, jobs[0]) == "succeeded", "a job is done", 60)
        instance.compose("stop", "worker")
        jobs.append(submit(client))
        assert status(client, jobs[1]) == "queued"
        instance.compose("start", "worker")
        wait_for(lambda: status(client, jobs[1]) == "succeeded", "the job that waited is done", 60)
        for job in jobs:
            assert_result(client, job)


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_may_do_nothing_but_its_work(instance: Instance, service: str):
    host = instance.inspect(service)["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    process = dict(
        line.split(":\t", 1)
        for line in instance.execute(service, "cat", "/proc/1/status").splitlines()
        if ":\t" in line
    )
    assert "0" not in process["Uid"].split()
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(process[kind], 16) == 0, kind
    assert process["NoNewPrivs"] == "1"


def test_buckets_can_be_reached(instance: Instance):
    for service in ("service", "worker"):
        instance.execute(service, "python", "-c", "import fsspec; fsspec.filesystem('s3')")


def test_the_control_key_is_shown_by_no_command_line(instance: Instance):
    key = (instance.folder / ".secrets" / "triton_control_key").read_text()
    shown = instance.execute("triton-cpu", "sh", "-c", "cat /proc/[0-9]*/cmdline")
    assert "ocr-control-key=***" in shown
    assert key not in shown
    told = instance.run("docker", "logs", container("triton-cpu"))
    assert "TRITON_GRPC_PORT 0.0.0.0:8001, TRITON_METRICS_PORT 0.0.0.0:8002; log" in told


def test_a_release_is_staged_gated_promoted_and_rolled_back(instance: Instance, tmp_path: Path):
    draw_folder(tmp_path / "pages", GOLDEN)
    (tmp_path / "table.toml").write_text(TABLE)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755)
    files = f"FILES={tmp_path}"
    assert "release 2 is staged" in instance.release("stage", files, "MODELS=/files/table.toml")
    gate = "gate 2 --pages /files/pages --slower 20"
    assert "release 2 passed" in instance.release(gate, files)
    checks = instance.inspect("triton-cpu")["State"]["Health"]["Log"]
    assert [check["ExitCode"] for check in checks] == [0] * len(checks), "while a candidate loaded"
    with instance.client() as client:
        for command, release in (("promote 2", 2), ("rollback", 1), ("promote 2", 2)):
            instance.release(command)
            told = f"release {release} answers"
            wait_for(lambda wanted=release: read(client) == wanted, told, 30)


def test_killed_containers_come_back(instance: Instance, jobs):
    with instance.client() as client:
        jobs.append(submit(client))
        for service in SERVICES:
            instance.kill_main_process(service)
        for service in SERVICES:
            wait_for(
                lambda name=service: (
                    instance.inspect(name)["RestartCount"] > 0 and instance.is_healthy(name)
                ),
                f"{service} is healthy again",
            )
        wait_for(lambda: status(client, jobs[-1]) == "succeeded", "its job is done", 90)
        assert read(client) == 2
        for job in jobs:
            assert_result(client, job)


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_was_written_outside_of_volumes(instance: Instance, service: str):
    changes = docker("diff", container(service)).splitlines()
    assert [change for change in changes if not MOUNT_POINT.fullmatch(change)] == []


def test_releases_and_jobs_outlive_down_and_up(instance: Instance, jobs):
    for name, key in (("api_keys", KEY), ("operator_keys", OPERATOR)):
        (instance.folder / ".secrets" / name).write_text(key)
    instance.make("down")
    assert instance.left("ps", "--all") == []
    instance.make("up")
    with instance.client(**{"X-API-Key": KEY}) as client:
        assert read(client) == 2
        # Submitted before there were keys, they are nobody's who shows one but an operator's.
        assert client.get(f"/api/v1/jobs/{jobs[0]}/result").status_code == 404
    with instance.client(**{"X-API-Key": OPERATOR}) as client:
        for job in jobs:
            assert_result(client, job)
    listed = instance.release("list")
    assert re.search(r"1 .*previous", listed), listed
    assert re.search(r"2 .*live", listed), listed


def test_only_who_has_a_key_is_let_in(instance: Instance):
    for headers, wanted in (({}, 401), ({"X-API-Key": KEY[:-1]}, 401), ({"X-API-Key": KEY}, 200)):
        with instance.client(**headers) as client:
            answer = client.post("/api/v1/ocr/process", files={"file": ("page.png", PAGE)})
            assert answer.status_code == wanted, headers


def test_prometheus_sees_every_target(instance: Instance):
    def health() -> dict[str, str]:
        url = "http://127.0.0.1:9090/api/v1/targets"
        found = json.loads(instance.execute("prometheus", "wget", "-qO-", url))
        return {t["labels"]["job"]: t["health"] for t in found["data"]["activeTargets"]}

    everyone = {"ocr-service": "up", "ocr-worker": "up", "triton": "up"}
    wait_for(lambda: health() == everyone, "every target is up", 60)


def test_nothing_is_left(instance: Instance):
    instance.remove()
    assert instance.left("ps", "--all") == []
    assert instance.left("volume", "ls") == []
    assert instance.left("network", "ls") == []

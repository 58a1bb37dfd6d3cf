"""The local stack on a real Triton: it starts, batches, comes back, and leaves nothing behind."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as grpc_aio

from embedded.assembly import shared_memory_prefix
from embedded.errors import ModelMissingError, PortTakenError, RuntimeFolderBusyError, StartError
from embedded.settings import Settings
from embedded.triton import (
    Triton,
    running_triton,
    settings_on_free_ports,
)
from ocr_base.triton import CONTROL_HEADER
from tests.integration.tiny_models import BATCHING, OPENVINO, write_doubling_model

Array = np.ndarray
WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    folder = tmp_path_factory.mktemp("tiny")
    repository = write_doubling_model(folder / "models", "doubling", OPENVINO + BATCHING)
    write_doubling_model(
        repository,
        "plain",
        "parameters { key: 'intra_op_thread_count' value: { string_value: '1' } }",
    )
    with running_triton(settings_on_free_ports(repository, folder / "runtime")) as triton:
        yield triton


def double(address: str, values: Array, model: str = "doubling") -> Array:
    tensor = grpc.InferInput("X", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values)
    with grpc.InferenceServerClient(address) as client:
        return client.infer(model, [tensor]).as_numpy("Y")


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {what}"
        time.sleep(0.1)


def family_of(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def shared_memory_of(settings: Settings) -> list[Path]:
    return list(Path("/dev/shm").glob(shared_memory_prefix(settings.runtime_dir) + "*"))


@pytest.mark.parametrize("model", ["doubling", "plain"])
def test_a_request_is_answered_on_openvino_and_on_onnxruntime(tiny: Triton, model: str) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(
        double(tiny.settings.triton_grpc_address, values, model), values * 2
    )


async def test_requests_of_one_moment_run_as_one_batch(tiny: Triton) -> None:
    address = tiny.settings.triton_grpc_address
    async with grpc_aio.InferenceServerClient(address) as client:

        async def ask(row: int) -> Array:
            tensor = grpc_aio.InferInput("X", [1, 4], "FP32")
            tensor.set_data_from_numpy(np.full((1, 4), row, np.float32))
            return (await client.infer("doubling", [tensor])).as_numpy("Y")

        await ask(0)  # The connection stands before the moment that is looked at.
        before = executions(address)
        answers = await asyncio.gather(*(ask(row) for row in range(16)))
    for row, answer in enumerate(answers):
        np.testing.assert_array_equal(answer, np.full((1, 4), 2 * row))
    inferences, runs = (now - then for now, then in zip(executions(address), before, strict=True))
    assert inferences == 16
    assert runs <= 8, f"16 requests took {runs} executions"


def executions(address: str) -> tuple[int, int]:
    with grpc.InferenceServerClient(address) as client:
        statistics = client.get_inference_statistics("doubling").model_stats[0]
    return statistics.inference_count, statistics.execution_count


async def test_an_unfit_request_fails_alone(tmp_path: Path, tiny: Triton) -> None:
    """Triton checks what config.pbtxt says; here the ONNX file wants more, rows of width 3."""
    repository = write_doubling_model(tmp_path / "models", "doubling", OPENVINO + BATCHING, width=3)
    settings = settings_on_free_ports(repository, tmp_path / "runtime")
    with running_triton(settings):
        async with grpc_aio.InferenceServerClient(settings.triton_grpc_address) as client:

            async def ask(width: int) -> Array:
                tensor = grpc_aio.InferInput("X", [1, width], "FP32")
                tensor.set_data_from_numpy(np.ones((1, width), np.float32))
                return (await client.infer("doubling", [tensor])).as_numpy("Y")

            results = await asyncio.gather(*map(ask, (3, 5, 3)), return_exceptions=True)
    assert "X has the shape [1, 5], the model takes [-1, 3]" in str(results[1])
    for good in (results[0], results[2]):
        np.testing.assert_array_equal(good, np.full((1, 3), 2))


def test_control_is_closed_without_the_key(tiny: Triton) -> None:
    with grpc.InferenceServerClient(tiny.settings.triton_grpc_address) as client:
        with pytest.raises(grpc.InferenceServerException, match="restricted"):
            client.unload_model("doubling")
        header = {f"triton-grpc-protocol-{CONTROL_HEADER}": tiny.control_key}
        assert client.get_model_repository_index(headers=header).models
    request = urllib.request.Request(
        f"{tiny.settings.triton_http_url}/v2/repository/index", data=b"{}", method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == 403
    request.add_header(CONTROL_HEADER, tiny.control_key)
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert {model["name"] for model in json.load(answer)} == {"doubling", "plain"}


def test_health_and_metrics_need_no_http(tmp_path: Path) -> None:
    repository = write_doubling_model(tmp_path / "models")
    settings = settings_on_free_ports(repository, tmp_path / "runtime", triton_http_port=0)
    with running_triton(settings) as triton:
        assert triton.is_ready()
        listening = {c.laddr.port for c in psutil.Process(triton.pid).net_connections("tcp")}
        assert listening >= {settings.triton_grpc_port, settings.triton_metrics_port}
        assert 8000 not in listening, "Triton's own default of HTTP"
        metrics = f"http://127.0.0.1:{settings.triton_metrics_port}/metrics"
        with urllib.request.urlopen(metrics, timeout=5) as answer:
            assert b"nv_inference_count" in answer.read()


def test_a_taken_port_is_named_with_its_holder(tiny: Triton, tmp_path: Path) -> None:
    taken = tiny.settings.triton_grpc_port
    settings = settings_on_free_ports(
        tiny.settings.model_repository, tmp_path, triton_grpc_port=taken
    )
    told = rf"{taken} \(TRITON_GRPC_PORT\).*tritonserver"
    with pytest.raises(PortTakenError, match=told), running_triton(settings):
        pass


def test_a_runtime_folder_serves_one_stack(tiny: Triton) -> None:
    settings = settings_on_free_ports(
        tiny.settings.model_repository, tiny.settings.runtime_dir, triton_stop_timeout=0
    )
    with pytest.raises(RuntimeFolderBusyError, match="RUNTIME_DIR"), running_triton(settings):
        pass


def test_a_repository_that_is_not_installed_is_told(tmp_path: Path) -> None:
    settings = settings_on_free_ports(tmp_path / "models", tmp_path / "runtime")
    told = "python -m releases install"
    with pytest.raises(ModelMissingError, match=told), running_triton(settings):
        pass


def test_a_model_that_cannot_load_stops_the_start_with_its_reason(tmp_path: Path) -> None:
    unknown = 'parameters { key: "warp_speed" value: { string_value: "9" } }'
    repository = write_doubling_model(tmp_path / "models", "doubling", unknown)
    settings = settings_on_free_ports(repository, tmp_path / "runtime")
    told = r"doubling: .*unknown parameters warp_speed"
    with pytest.raises(StartError, match=told), running_triton(settings):
        pass
    assert not shared_memory_of(settings)


@contextlib.contextmanager
def supervised(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Settings]]:
    """Run `python -m embedded triton` with one tiny model; give it when it is ready."""
    repository = write_doubling_model(folder / "models", config=OPENVINO)
    settings = settings_on_free_ports(repository, folder / "runtime", triton_stop_timeout=5)
    values = {name.upper(): str(value) for name, value in settings if value is not None}
    messages = folder / "messages"
    with messages.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "embedded", "triton"], env=os.environ | values, stderr=stderr
        )
    try:
        wait_until(lambda: says(folder, "Triton is ready") or process.poll(), "Triton ready")
        assert process.poll() is None, messages.read_text()
        yield process, settings
    finally:
        process.kill()
        process.wait()
        wait_until(lambda: not shared_memory_of(settings), "shared memory gone")


def says(folder: Path, text: str) -> bool:
    return text in (folder / "messages").read_text()


def test_a_killed_triton_is_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path) as (supervisor, settings):
        family = family_of(supervisor.pid)
        server = next(p for p in family if p.name() == "tritonserver")
        server.kill()
        psutil.wait_procs([server], timeout=WAIT_SECONDS)
        wait_until(lambda: says(tmp_path, "Triton is ready again"), "Triton ready again")
        values = np.ones((1, 2), np.float32)
        np.testing.assert_array_equal(double(settings.triton_grpc_address, values), values * 2)
        assert len(shared_memory_of(settings)) == 1, (
            "the dead Triton's shared memory is still there"
        )
        survivors = [p for p in family if p.is_running() and "triton" in p.name()]
        assert not survivors
    assert says(tmp_path, "Triton was ended by signal 9")


def test_a_lost_model_process_is_noticed_and_replaced(tmp_path: Path) -> None:
    with supervised(tmp_path) as (supervisor, settings):
        model = next(p for p in family_of(supervisor.pid) if p.name().endswith("backend_stub"))
        model.kill()
        wait_until(lambda: says(tmp_path, "Triton is ready again"), "Triton ready again")
        values = np.ones((1, 2), np.float32)
        np.testing.assert_array_equal(double(settings.triton_grpc_address, values), values * 2)
    assert says(tmp_path, f"model processes [{model.pid}] died")


@pytest.mark.parametrize("victims", [["supervisor"], ["guard"], ["supervisor", "tritonserver"]])
def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, victims: list[str]) -> None:
    with supervised(tmp_path) as (supervisor, settings):
        family = family_of(supervisor.pid)
        roles = {"supervisor": family[0], "guard": family[1]}
        roles |= {process.name(): process for process in family[2:]}
        assert shared_memory_of(settings)
        for victim in victims:
            roles[victim].kill()
        if "supervisor" not in victims:
            psutil.wait_procs(family[1:], timeout=WAIT_SECONDS)
            supervisor.terminate()
        supervisor.wait(WAIT_SECONDS)
        _, alive = psutil.wait_procs(family[1:], timeout=WAIT_SECONDS)
        assert not alive
        wait_until(lambda: not shared_memory_of(settings), "shared memory gone")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with supervised(tmp_path) as (supervisor, settings):
        family = family_of(supervisor.pid)
        supervisor.send_signal(number)
        assert supervisor.wait(WAIT_SECONDS) == 0
        assert not [process for process in family[1:] if process.is_running()]
        assert not shared_memory_of(settings)
        assert "All models are stopped" in (settings.runtime_dir / "triton.log").read_text()

"""How the GPU's container starts Triton, with a program in its place that shows its arguments."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from embedded.ports import free_ports
from ocr_base.places import CHECKOUT

IN_TRITONS_PLACE = """#!{python}
import sys, time
sys.path.insert(0, {checkout!r})
from tests.unit.embedded.triton_in_place import YES, health_server
port = next(a.partition("=")[2] for a in sys.argv if a.startswith("--grpc-port="))
print(*sys.argv, sep="\\n", flush=True)
with health_server(int(port), ServerLive=YES):
    while True:
        time.sleep(60)
"""


def lay_out(folder: Path) -> None:
    """Link into a folder what the Dockerfile copies into the image's."""
    text = (CHECKOUT / "deploy" / "triton-gpu.Dockerfile").read_text().replace("\\\n", "")
    for sources, target in re.findall(
        r"^COPY --chmod=755 (.+) /opt/ocr/(\S*)$", text, re.MULTILINE
    ):
        (folder / target).mkdir(exist_ok=True)
        for source in sources.split():
            (folder / target / Path(source).name).symlink_to(CHECKOUT / source)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with what the image has."""
    (tmp_path / "models" / "reader").mkdir(parents=True)
    (tmp_path / "models" / "reader" / "config.pbtxt").write_text('backend: "python"\n')
    (tmp_path / "key").write_text("hunter2hunter2\n")
    program = tmp_path / "tritonserver"
    program.write_text(IN_TRITONS_PLACE.format(python=sys.executable, checkout=str(CHECKOUT)))
    program.chmod(0o755)
    lay_out(tmp_path)
    return tmp_path


@pytest.fixture
def started(image: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(image)
    yield process
    process.kill()
    process.wait()


def start(image: Path) -> subprocess.Popen[str]:
    environment = os.environ | {
        "PATH": f"{image}:{os.environ['PATH']}",
        "MODEL_REPOSITORY": str(image / "models"),
        "TRITON_GRPC_PORT": str(free_ports(1)[0]),
    }
    # Not through the links: Python puts the folder of the real file on its path.
    code = f"import runpy, sys; sys.path.insert(0, {str(image)!r}); sys.argv[1:] = ['key']; "
    code += "runpy.run_path('triton_gpu.py', run_name='__main__')"
    command = [sys.executable, "-c", code]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, cwd=image, text=True, **both)


def test_its_key_is_taken_out_of_its_command_line(started: subprocess.Popen[str]) -> None:
    assert started.stdout is not None
    given = []
    while not given or "exit-timeout" not in given[-1]:
        given.append(started.stdout.readline().strip())
    assert "--load-model=reader" in given
    control = "model-repository,logging,trace,shared-memory:ocr-control-key=hunter2hunter2"
    assert "--allow-http=false" in given
    assert f"--grpc-restricted-protocol={control}" in given
    (triton,) = psutil.Process(started.pid).children()
    deadline = time.monotonic() + 20
    while "hunter2" in " ".join(triton.cmdline()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert f"ocr-control-key={'*' * 14}" in " ".join(triton.cmdline())
    started.send_signal(signal.SIGTERM)
    assert started.wait(20) == 128 + signal.SIGTERM


def test_a_repository_without_models_is_told(image: Path) -> None:
    (image / "models" / "reader" / "config.pbtxt").unlink()
    process = start(image)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 1
    assert told.startswith("error: There are no models in ")

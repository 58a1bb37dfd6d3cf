"""A stack whose release 1 is PP-OCRv4 out of Paddle, and commands on its releases."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import httpx
import numpy as np
import psutil
import tritonclient.grpc as grpc

from embedded.settings import Settings
from ocr_base.places import CHECKOUT
from releases.__main__ import main
from releases.store import ReleaseStore

PADDLE_TABLE = CHECKOUT / "export" / "ppocrv4.toml"
# One process for each model and few shapes to warm: loaded in a third of the time.
SMALL = """
[tasks.detection]
max_instances = { cpu = 1, gpu = 1 }
canvases = [[736, 736], [1024, 736], [1024, 1024]]
[tasks.recognition]
max_instances = { cpu = 1, gpu = 1 }
"""

KILL_AT = """
import os, signal, sys
from releases import __main__, gate, prune, stage, steps, switch

def run(found, console, *, dry_run=False):
    for number, step in enumerate(found):
        if number == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        step.do()
    os.kill(os.getpid(), signal.SIGKILL)

for module in (gate, prune, stage, switch):
    module.run_steps = run
sys.exit(__main__.main(sys.argv[2:]))
"""


def small_table(base: Path, folder: Path) -> Path:
    """Write a table of the same models that is sooner loaded."""
    table = folder / f"small_{base.name}"
    table.write_text(f'extends = "{base}"\n{SMALL}')
    return table


@dataclass
class World:
    """Folders of releases and models, and the stack that serves them once it runs."""

    folder: Path
    settings: Settings | None = None
    supervisor: psutil.Process | None = None

    @property
    def store(self) -> ReleaseStore:
        """The releases."""
        return ReleaseStore(self.folder / "releases")

    @property
    def repository(self) -> Path:
        """What Triton reads."""
        return self.folder / "models"

    def run(self, *arguments: str, table: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run `python -m releases` with these arguments, but in this process."""
        command, environment = self._command(*arguments, table=table)
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, environment),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = main(command)
        return subprocess.CompletedProcess(command, status, out.getvalue(), err.getvalue())

    def run_process(
        self,
        *arguments: str,
        table: Path | None = None,
        program: tuple[str, ...] = ("-m", "releases"),
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m releases`, or another program with these arguments."""
        command, environment = self._command(*arguments, table=table)
        return subprocess.run(
            [sys.executable, *program, *command],
            env=os.environ | environment, cwd=CHECKOUT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def kill(self, step: int, *arguments: str) -> None:
        """Run a command that is killed before its step of that number."""
        done = self.run_process(*arguments, program=("-c", KILL_AT, str(step)))
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr

    def _command(
        self, *arguments: str, table: Path | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """Arguments and environment that lead a command to this world."""
        places = ["--releases", str(self.store.root), "--model-repository", str(self.repository)]
        environment = {}
        if self.settings is not None:
            places += ["--triton", self.settings.triton_grpc_address]
            environment["RUNTIME_DIR"] = str(self.settings.runtime_dir)
        models = ["--models", str(table)] if table else []
        return [*models, *places, *arguments], environment

    def do(self, *arguments: str, table: Path | None = None) -> str:
        """Run a command that must succeed, and return what it printed."""
        done = self.run(*arguments, table=table)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refuse(self, *arguments: str) -> str:
        """Run a command that must fail in the way that is told, and return why it did."""
        done = self.run(*arguments)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr

    def live_releases(self) -> tuple[int, int]:
        """What HTTP and direct clients of gRPC are answered by now."""
        assert self.settings is not None
        with httpx.Client(base_url=self.settings.service_url, timeout=60) as client:
            over_http = client.get("/ready").json()["release"]
        return over_http, ask_ocr(self.settings.triton_grpc_address, PNG)[0]


def make_png() -> bytes:
    """A small page."""
    from tests.drawing import draw_page, sentence, to_png

    return to_png(draw_page([sentence(row) for row in range(3)]))


PNG = make_png()


def ask_ocr(address: str, png: bytes, client: grpc.InferenceServerClient | None = None):
    """Release and text of a page, read by the public `ocr` over gRPC."""
    client = client or grpc.InferenceServerClient(address)
    image = grpc.InferInput("IMAGE", [1], "BYTES")
    image.set_data_from_numpy(np.array([png], np.object_))
    answer = client.infer("ocr_speed", [image], client_timeout=60)
    texts = tuple(text.decode() for text in answer.as_numpy("TEXT"))
    return int(answer.as_numpy("RELEASE")[0]), texts


@dataclass
class Load:
    """Requests over HTTP and gRPC, half each, until `stop`; every answer is kept."""

    settings: Settings
    pages: list[bytes]
    failures: list[str] = field(default_factory=list)
    #: Protocol, page, release, text, start and seconds.
    answers: list[tuple[str, int, int, tuple[str, ...], float, float]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, concurrency: int) -> None:
        """Begin; each of the callers has one request in flight at a time."""
        for number in range(concurrency):
            ask = self._http() if number % 2 else self._grpc()
            protocol = "http" if number % 2 else "grpc"
            thread = threading.Thread(target=self._run, args=(ask, protocol, number))
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End when what is in flight is answered."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self, ask: Callable[[bytes], tuple], protocol: str, number: int) -> None:
        count = number
        while not self._ended.is_set():
            count += 1
            page, started = count % len(self.pages), time.monotonic()
            try:
                release, texts = ask(self.pages[page])
            except Exception as error:  # noqa: BLE001 - every failure counts
                self.failures.append(f"{protocol}: {error!r}")
                continue
            seconds = time.monotonic() - started
            self.answers.append((protocol, page, release, texts, started, seconds))

    def _grpc(self) -> Callable[[bytes], tuple]:
        client = grpc.InferenceServerClient(self.settings.triton_grpc_address)
        return lambda png: ask_ocr("", png, client)

    def _http(self) -> Callable[[bytes], tuple]:
        client = httpx.Client(base_url=self.settings.service_url, timeout=60)
        options = {"strategy": "speed", "enhance": "none", "confidence_threshold": "0"}

        def ask(png: bytes) -> tuple:
            headers = {"Cache-Control": "no-cache, no-store"}
            files = {"file": ("page.png", png)}
            answer = client.post("/api/v1/ocr/process", files=files, data=options, headers=headers)
            answer.raise_for_status()
            body = answer.json()
            lines = [line["text"] for page in body["pages"] for line in page["lines"]]
            return body["release"], tuple(lines)

        return ask


def percentile(values: list[float], share: float) -> float:
    """The value that this share of all is below."""
    return float(np.percentile(values, share * 100)) if values else 0.0


def audit(world: World) -> list[tuple[str, int]]:
    """What was done to which release."""
    lines = (world.store.root / "audit.log").read_text().splitlines()
    return [(entry["action"], entry["release"]) for entry in map(json.loads, lines)]

"""An instance in containers: what its users do with `make`, and what Docker tells about it."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ocr_base.places import CHECKOUT

PROJECT = "ocr-server-test"
SERVICES = ("service", "worker", "triton-cpu", "valkey", "prometheus", "grafana")
STRICT_UMASK = 0o077
# Every other variable that docker-compose.yml or the Makefile reads could be the developer's own.
_KEPT = re.compile(r"PATH|HOME|USER|TMPDIR|LANG|LC_.*|TERM|DOCKER_.*|BUILDKIT_.*|.*_PROXY|.*_proxy")


def copy_checkout(folder: Path) -> Path:
    """Copy what a clone of the checkout as it is now would hold, readable by its owner alone."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, target = CHECKOUT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~STRICT_UMASK)
    return folder


@dataclass(frozen=True)
class Instance:
    """A checkout of its own, with its ports on this machine, under the project name PROJECT."""

    folder: Path
    port: int
    grafana_port: int

    def run(self, *command: str) -> str:
        """Run a command in the checkout, telling its name and seconds; what it printed."""
        kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=self.folder, env=kept | {"COMPOSE_PROJECT_NAME": PROJECT},
            umask=STRICT_UMASK, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        _tell(started, " ".join(command)[:90])
        assert done.returncode == 0, done.stdout
        return done.stdout

    def make(self, *arguments: str) -> str:
        """Run `make` as an operator does."""
        return self.run("make", *arguments)

    def release(self, command: str, *variables: str) -> str:
        """Run a release command in the containers' network."""
        return self.make("release", f"RELEASE={command}", *variables)

    def compose(self, *arguments: str) -> str:
        """Run Docker Compose on all services of the CPU."""
        files = ("--env-file", "deploy/versions.env", "--env-file", ".env")
        profiles = ("--profile", "cpu", "--profile", "tools")
        return self.run("docker", "compose", *files, *profiles, *arguments)

    def remove(self) -> None:
        """Remove containers, volumes and networks; images stay, and make the next run short."""
        self.compose("down", "--volumes", "--remove-orphans")

    def left(self, *listing: str) -> list[str]:
        """What Docker lists of this project with `docker … --quiet`."""
        label = f"label=com.docker.compose.project={PROJECT}"
        return docker(*listing, "--quiet", "--filter", label).split()

    def execute(self, service: str, *command: str) -> str:
        """Run a command inside a service's container."""
        return docker("exec", container(service), *command)

    def inspect(self, service: str) -> dict[str, Any]:
        """What Docker knows of a service's container."""
        found: list[dict[str, Any]] = json.loads(docker("inspect", container(service)))
        return found[0]

    def is_healthy(self, service: str) -> bool:
        """Whether a service's container runs and its health check says that it is well."""
        state = self.inspect(service)["State"]
        return bool(state["Running"]) and state["Health"]["Status"] == "healthy"

    def kill_main_process(self, service: str) -> None:
        """Kill -9 from outside, as the kernel would; after a `docker kill` nothing is restarted."""
        found = self.inspect(service)
        code = f"import os; os.kill({found['State']['Pid']}, 9)"
        user = ("--user", found["Config"]["User"] or "10001")
        image = ("--entrypoint", "python", f"{PROJECT}/service")
        self.run("docker", "run", "--rm", "--pid", "host", *user, *image, "-c", code)

    def client(self, **headers: str) -> httpx.Client:
        """A client of the front service, as from this machine."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, headers=headers)


def container(service: str) -> str:
    """The name of a service's container."""
    return f"{PROJECT}-{service}-1"


def wait_for(condition: Callable[[], object], what: str, seconds: float = 240) -> None:
    """Return when the condition holds; an error of the connection is not yet."""
    started = time.monotonic()
    while True:
        try:
            if condition():
                break
        except httpx.TransportError:
            pass
        assert time.monotonic() - started < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.5)
    _tell(started, f"until {what}")


def docker(*arguments: str) -> str:
    """What a command of Docker prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def _tell(started: float, what: str) -> None:
    print(f"\n  {time.monotonic() - started:5.1f} s  {what}", end="", flush=True)

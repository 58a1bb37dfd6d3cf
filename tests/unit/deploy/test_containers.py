"""The containers as files: what needs no Docker engine. None of the images was built here."""

import json
import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from embedded.settings import CHECKOUT
from export.fetch import DEFAULT_CACHE
from export.host import read_versions

COMPOSE = CHECKOUT / "docker-compose.yml"
ENVIRONMENT = DEFAULT_CACHE / "environments" / "docker-compose-1.29.2"
UV = CHECKOUT / ".tools" / "bin" / "uv"
DOCKERFILES = ("Dockerfile", "triton-gpu.Dockerfile", "plans.Dockerfile")
LONG_RUNNING = {
    "triton-cpu", "triton-gpu", "service", "worker", "valkey", "prometheus", "grafana",
}  # fmt: skip


@pytest.fixture(scope="session")
def compose_program() -> Path:
    """docker-compose, in an environment of its own: its packages exclude ours."""
    program = ENVIRONMENT / "bin" / "docker-compose"
    if not program.exists():
        requirements = Path(__file__).with_name("compose.txt")
        overrides = ENVIRONMENT.with_name("overrides.txt")
        overrides.parent.mkdir(parents=True, exist_ok=True)
        overrides.write_text("pyyaml>=6\n")  # an older one has no wheel for this Python
        python = str(ENVIRONMENT / "bin" / "python")
        install = ["--python", python, "--overrides", str(overrides), "-r", str(requirements)]
        subprocess.run([UV, "venv", "-q", "--clear", "-p", "3.11", ENVIRONMENT], check=True)
        subprocess.run([UV, "pip", "install", "-q", *install], check=True)
    return program


@pytest.fixture(scope="session")
def services(compose_program: Path) -> dict[str, dict]:
    """Every service of every profile, as docker-compose understands the file."""
    profiles = [f"--profile={name}" for name in ("cpu", "gpu", "tools")]
    pinned = os.environ | read_versions()
    command = [str(compose_program), "-f", str(COMPOSE), *profiles, "config"]
    done = subprocess.run(command, env=pinned, capture_output=True, text=True, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)["services"]


def test_every_service_is_contained(services):
    assert set(services) == {*LONG_RUNNING, "models", "tools", "plans"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert name not in LONG_RUNNING or service["healthcheck"]["test"], name


def test_cpu_and_gpu_differ_in_triton_alone(services):
    by_profile = {
        profile: {name for name, service in services.items() if profile in service["profiles"]}
        for profile in ("cpu", "gpu")
    }
    assert by_profile["cpu"] ^ by_profile["gpu"] == {"triton-cpu", "triton-gpu"}
    for name in ("triton-cpu", "triton-gpu"):
        assert services[name]["networks"]["default"]["aliases"] == ["triton"]
        assert services[name]["depends_on"]["models"]


def test_only_the_service_is_open_to_other_machines(services):
    ports = {name: service.get("ports", []) for name, service in services.items()}
    published = {name for name, mapped in ports.items() if mapped}
    assert published == {"service", "grafana"}
    assert "127.0.0.1" in str(ports["grafana"])


def test_no_secret_stands_in_the_file(services):
    for name, service in services.items():
        secret = {
            n for n in service.get("environment", {}) if re.search("KEYS?$|PASSWORD$|REDIS", n)
        }
        assert secret <= {"RELEASE_PUBLIC_KEY"}, name


def test_the_compose_file_needs_the_pinned_versions(compose_program):
    unpinned = {name: value for name, value in os.environ.items() if name not in read_versions()}
    command = [str(compose_program), "-f", str(COMPOSE), "config"]
    done = subprocess.run(command, env=unpinned, capture_output=True, text=True, cwd=CHECKOUT)
    assert done.returncode != 0
    assert "make up" in done.stderr


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_finds_nothing(name):
    hadolint = CHECKOUT / ".venv" / "bin" / "hadolint"
    command = [str(hadolint), "--format", "json", str(CHECKOUT / "deploy" / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert json.loads(done.stdout) == []


def test_versions_belong_together():
    pinned = read_versions()
    assert version("tritonclient") == pinned["TRITON_VERSION"]
    assert f"({pinned['TRITON_RELEASE']})" in (CHECKOUT / "docs" / "operations.md").read_text()


def test_the_steps_have_the_packages_of_the_lock():
    lock = (CHECKOUT / "uv.lock").read_text()
    lines = (CHECKOUT / "deploy" / "triton-steps.txt").read_text().splitlines()
    for line in lines:
        if not line.startswith("#"):
            name, number = line.split("==")
            assert f'name = "{name}"\nversion = "{number}"' in lock, line


def test_secrets_are_drawn_once_and_for_nobody_else(tmp_path):
    script = tmp_path / "deploy" / "secrets.sh"
    script.parent.mkdir()
    script.write_text((CHECKOUT / "deploy" / "secrets.sh").read_text())
    subprocess.run(["bash", str(script)], check=True)
    folder = tmp_path / ".secrets"
    drawn = {file.name: file.read_text() for file in folder.iterdir()}
    assert set(drawn) == set(yaml.safe_load(COMPOSE.read_text())["secrets"])
    assert len(drawn["triton_control_key"]) >= 24
    assert drawn["redis_url"] == f"redis://:{drawn['valkey_password']}@valkey:6379/0"
    assert folder.stat().st_mode & 0o777 == 0o700
    subprocess.run(["bash", str(script)], check=True)
    assert {file.name: file.read_text() for file in folder.iterdir()} == drawn


def test_every_file_that_an_image_copies_is_there():
    for name in DOCKERFILES:
        text = (CHECKOUT / "deploy" / name).read_text()
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
            for source in sources.split():
                assert (CHECKOUT / source).exists(), source

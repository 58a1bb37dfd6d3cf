"""The containers as files: what needs no Docker engine; `make test-containers` starts them."""

import json
import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from export.host import read_versions
from ocr_base.places import CHECKOUT, DOWNLOADS
from ocr_base.version import VERSION

COMPOSE = CHECKOUT / "docker-compose.yml"
ENVIRONMENT = DOWNLOADS / "environments" / "docker-compose-1.29.2"
UV = CHECKOUT / ".tools" / "bin" / "uv"
DOCKERFILES = ("Dockerfile", "monitoring.Dockerfile", "triton-gpu.Dockerfile", "plans.Dockerfile")
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


def read_services(program: Path, variables: dict[str, str]) -> dict[str, dict]:
    """Every service of every profile, as docker-compose understands the file."""
    profiles = [f"--profile={name}" for name in ("cpu", "gpu", "tools")]
    others = {k: v for k, v in os.environ.items() if k not in {"RELEASE_PUBLIC_KEY", "HOST"}}
    command = [str(program), "-f", str(COMPOSE), *profiles, "config"]
    done = subprocess.run(
        command, env=others | read_versions() | {"OCR_VERSION": VERSION} | variables,
        capture_output=True, text=True, cwd=CHECKOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)["services"]


@pytest.fixture(scope="session")
def services(compose_program: Path) -> dict[str, dict]:
    return read_services(compose_program, {"COMPOSE_PROJECT_NAME": "ocr-server"})


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


def published(services: dict[str, dict]) -> dict[str, str]:
    """What this machine gives a port to, and which."""
    ports = {name: service.get("ports", []) for name, service in services.items()}
    return {name: str(mapped) for name, mapped in ports.items() if mapped}


def test_nothing_is_open_to_other_machines_unless_it_is_asked_for(services, compose_program):
    closed = published(services)
    assert set(closed) == {"service", "grafana"}
    assert all("127.0.0.1:" in port for port in closed.values())
    wanted = {"COMPOSE_PROJECT_NAME": "ocr-server", "HOST": "0.0.0.0"}
    opened = published(read_services(compose_program, wanted))
    assert "0.0.0.0:8000:8000" in opened["service"]
    assert opened["grafana"] == closed["grafana"]


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
    for name in ("docs/operations.md", "SECURITY.md"):
        assert f"({pinned['TRITON_RELEASE']})" in (CHECKOUT / name).read_text(), name


@pytest.mark.parametrize("group", ["uv", "triton-steps"])
def test_what_pip_installs_is_that_of_the_lock_with_its_hashes(group):
    makefile = (CHECKOUT / "Makefile").read_text()
    options = re.search(r"^EXPORT := (.*)$", makefile, re.MULTILINE)
    assert options
    command = [UV, "export", *options[1].split(), "--only-group", group]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    written = (CHECKOUT / "deploy" / f"{group}.txt").read_text()
    assert written == done.stdout, "run `make lock`"
    packages = re.findall(r"^\S+==\S+(?: ;[^\n]*)? \\\n    --hash=sha256:", written, re.MULTILINE)
    assert len(packages) == len(re.findall(r"==\d", written)) > 0


def test_an_audit_that_cannot_ask_says_that_it_was_left_out():
    nobody = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [CHECKOUT / "deploy" / "audit.sh"], env=os.environ | nobody, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("make audit was left out: https://pypi.org")


def test_pip_installs_nothing_without_hashes():
    files = [CHECKOUT / "Makefile", *(CHECKOUT / "deploy" / name for name in DOCKERFILES)]
    installs = [
        line for file in files for line in file.read_text().splitlines() if "pip install" in line
    ]
    assert len(installs) == 4
    assert all("--require-hashes" in line for line in installs)


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


def copied() -> set[str]:
    """Every file or folder that an image copies out of the checkout."""
    texts = [(CHECKOUT / "deploy" / name).read_text() for name in DOCKERFILES]
    lines = [line for text in texts for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE)]
    return {word for line in lines for word in line.split() if not word.startswith("--")}


def is_dropped(path: str) -> bool:
    """Whether .dockerignore keeps a path out; the last line that matches it or a parent decides."""
    dropped = False
    for line in (CHECKOUT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("/")
        if not pattern or line.startswith("#"):
            continue
        translated = pattern.replace("**/", "**").split("**")
        regex = "(.*/)?".join(
            re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") for part in translated
        )
        if re.fullmatch(f"{regex}(/.*)?", path):
            dropped = not line.startswith("!")
    return dropped


def test_every_file_that_an_image_copies_is_there():
    assert copied() > {"preprocess_service", "embedded/repository.py", "uv.lock"}
    for source in copied():
        assert (CHECKOUT / source).exists(), source


def test_no_file_that_is_needed_is_kept_out_of_an_image():
    listed = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True)
    wanted = tuple(f"{source}/" for source in copied())
    files = [file for file in listed.stdout.splitlines() if f"{file}/".startswith(wanted)]
    assert "model_repository/page_reading/1/model.py" in files
    assert [file for file in files if is_dropped(file)] == []
    written = ("model_repository/ocr/config.pbtxt", "model_repository/page_reading_r12/1/model.py")
    assert all(map(is_dropped, (*written, ".secrets/api_keys", ".env", "export/__pycache__/a.pyc")))


def test_the_containers_user_may_read_what_a_strict_umask_wrote():
    for name in DOCKERFILES:
        for line in (CHECKOUT / "deploy" / name).read_text().splitlines():
            assert not line.startswith("COPY") or line.startswith("COPY --chmod=755 "), line


def test_whoever_checks_releases_has_the_public_key(compose_program):
    keys = {"COMPOSE_PROJECT_NAME": "ocr-server", "RELEASE_PUBLIC_KEY": "RWQ"}
    with_key = read_services(compose_program, keys)
    for name in ("models", "tools", "plans"):
        assert with_key[name]["environment"]["RELEASE_PUBLIC_KEY"] == "RWQ"
    without = read_services(compose_program, {"COMPOSE_PROJECT_NAME": "ocr-server"})
    for name in ("models", "tools", "plans"):
        assert without[name]["environment"]["RELEASE_PUBLIC_KEY"] is None, "handed on, but unset"
        assert without[name]["environment"]["SERVICE_URL"] == "http://service:8000"


def test_a_candidate_that_loads_makes_no_container_unhealthy(services):
    for name in ("triton-cpu", "triton-gpu"):
        assert "triton_health" in str(services[name]["healthcheck"]["test"])


def test_no_container_of_triton_has_its_http_port(services):
    """Over gRPC it is asked whether it lives, and the port that crashes it is not there."""
    assert "TRITON_HTTP_PORT=0" in (CHECKOUT / "deploy" / "Dockerfile").read_text()
    for name in ("triton-cpu", "triton-gpu"):
        assert "8003" not in str(services[name])

"""One file says the version, and it needs no installed package: images hold files only."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

from ocr_base.places import CHECKOUT
from ocr_base.version import VERSION

_EACH_PLACE = """
import asyncio, importlib.metadata, pathlib, sys
from lxml import etree
from preprocess_service.wiring import make_app
from preprocess_service.formatting import alto, hocr
from preprocess_service.settings import Settings
try:
    importlib.metadata.version("ocr-server")
except importlib.metadata.PackageNotFoundError:
    print("not installed")
sys.path.append(sys.argv[1])
from tests.fakes import FakeEngine
from tests.unit.preprocess_service.formatting.documents import document, page

async def serve():
    async with app.router.lifespan_context(app):
        registry = app.state.services.monitor.registry
        print(registry.get_sample_value("ocr_build_info", {"version": sys.argv[3]}))
read = document(page())
app = make_app(Settings(data_dir=pathlib.Path(sys.argv[2])), FakeEngine())
print(app.openapi()["info"]["version"])
print(etree.fromstring(alto.write_alto(read)).findtext(".//{*}softwareVersion"))
print(etree.fromstring(hocr.write_hocr(read)).find(".//*[@name='ocr-system']").get("content"))
asyncio.run(serve())
"""


def copied_by(target: str) -> list[tuple[str, str]]:
    """What an image holds of this checkout: source and place of each copy, its bases included."""
    text = (CHECKOUT / "deploy/Dockerfile").read_text()
    match = re.search(rf"^FROM (\S+) AS {target}\n(.*?)(?=^FROM|\Z)", text, re.M | re.S)
    assert match, target
    own = re.findall(r"^COPY (?:--chmod=755 )?(\w\S+) \./(\S*)$", match[2], re.M)
    base = [] if ":" in match[1] else copied_by(match[1])
    return [*base, *own]


@pytest.fixture
def image_of_files(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of an image: its files, and every package but the project."""
    app, packages = tmp_path / "app", tmp_path / "packages"
    app.mkdir()
    packages.mkdir()
    for source, place in copied_by(request.param):
        target = app / (place or source)
        target.parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (CHECKOUT / source).is_dir() else shutil.copy
        copy(CHECKOUT / source, target)
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "ocr_server" not in entry.name:
            (packages / entry.name).symlink_to(entry)
    return {**os.environ, "PYTHONPATH": f"{app}:{packages}"}


def run_python(environment: dict[str, str], folder: Path, *arguments: str) -> str:
    # -S leaves this environment's packages out, the installed project among them.
    command = [sys.executable, "-S", *arguments]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("image_of_files", ["service"], indirect=True)
def test_files_alone_name_the_version_everywhere(image_of_files, tmp_path):
    assert run_python(image_of_files, tmp_path, "-m", "ocr_cli", "--version") == f"ocr {VERSION}\n"
    arguments = ["-c", _EACH_PLACE, str(CHECKOUT), str(tmp_path / "data"), VERSION]
    assert run_python(image_of_files, tmp_path, *arguments).splitlines() == [
        "not installed", VERSION, VERSION, f"ocr-server {VERSION}, release 1", "1.0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("image_of_files", "package"),
    [("service", "preprocess_service"), ("tools", "releases"), ("triton-cpu", "embedded")],
    indirect=["image_of_files"],
)
def test_an_image_holds_what_its_program_imports(image_of_files, tmp_path, package):
    code = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    files = [file.relative_to(CHECKOUT) for file in (CHECKOUT / package).rglob("*.py")]
    # The backend's own modules run in Triton, which gives them the rest.
    modules = [".".join(f.with_suffix("").parts) for f in files if "backends" not in f.parts]
    run_python(image_of_files, tmp_path, "-c", code, *modules)


def test_the_command_of_the_checkout_names_it():
    program = Path(sys.executable).with_name("ocr")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"ocr {VERSION}\n"
    assert version("ocr-server") == VERSION


@pytest.mark.parametrize("hook", ["build_wheel", "build_sdist"])
def test_a_wheel_is_refused_with_the_way_to_the_server(hook):
    settings = (CHECKOUT / "pyproject.toml").read_text()
    place = re.search(r'^backend-path = \["(.+)"\]\nbuild-backend = "(.+)"$', settings, re.M)
    assert place
    done = subprocess.run(
        [sys.executable, "-c", f"import {place[2]} as backend; backend.{hook}('.')"],
        cwd=CHECKOUT / place[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.startswith("The OCR server is a checkout or its containers")
    assert "make serve" in done.stderr


def test_nothing_says_to_install_the_server_from_an_index():
    tracked = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True)
    for name in tracked.stdout.split():
        if name.endswith((".py", ".md", ".yml", "file", ".toml")) and "decisions" not in name:
            text = (CHECKOUT / name).read_text() if (CHECKOUT / name).is_file() else ""
            assert not re.search(r"pip install\W+ocr-server", text), name

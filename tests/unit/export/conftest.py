"""The small published world as files, its table, and a repository to install it in."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from export.host import Host
from export.install import Installation
from export.spec import Spec, read_spec
from tests.unit.export.small_world import FILES, LANGUAGES, NORMALIZATION, TABLE


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The table that names the small world, whose files lie in a folder, pinned."""
    world = tmp_path_factory.mktemp("world")
    for name, make in FILES.items():
        (world / name).write_bytes(make())
    digest = hashlib.sha256(b"".join((world / name).read_bytes() for name in sorted(FILES)))
    text = TABLE.replace("NORMALIZATION", NORMALIZATION)
    return text.replace("FOLDER", str(world)).replace("SHA256", digest.hexdigest())


@pytest.fixture
def models_toml(table: str, tmp_path: Path) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(table)
    return path


@pytest.fixture
def spec(models_toml: Path) -> Spec:
    return read_spec(models_toml)


@pytest.fixture
def installation(spec: Spec, tmp_path: Path) -> Installation:
    """A repository that does not exist yet."""
    repository = tmp_path / "model_repository"
    return Installation(spec, LANGUAGES, repository, Host("cpu", 2), tmp_path / "cache")


@pytest.fixture(scope="session")
def first_repository(table: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first install makes."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "models.toml").write_text(table)
    spec, repository = read_spec(folder / "models.toml"), folder / "model_repository"
    first = Installation(spec, LANGUAGES, repository, Host("cpu", 2), folder / "cache")
    outcome = first.run()
    assert sorted(outcome.built) == sorted(spec.models)
    assert all(comparison.holds for comparison in outcome.comparisons)
    return repository


@pytest.fixture
def installed(first_repository: Path, installation: Installation) -> Installation:
    """The same after its first install."""
    shutil.copytree(first_repository, installation.repository)
    return installation

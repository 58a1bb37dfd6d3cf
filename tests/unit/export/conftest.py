"""The small published world as files, its table, and a repository to install it in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from export.host import Host
from export.install import Installation
from export.spec import Spec, read_spec
from tests.unit.export.small_world import FILES, LANGUAGES, NORMALIZATION, TABLE


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Folder with the published files."""
    folder = tmp_path / "world"
    folder.mkdir()
    for name, make in FILES.items():
        (folder / name).write_bytes(make())
    return folder


@pytest.fixture
def models_toml(world: Path, tmp_path: Path) -> Path:
    """The table that names the small world, pinned."""
    digest = hashlib.sha256(b"".join((world / name).read_bytes() for name in sorted(FILES)))
    text = TABLE.replace("NORMALIZATION", NORMALIZATION)
    path = tmp_path / "models.toml"
    path.write_text(text.replace("FOLDER", str(world)).replace("SHA256", digest.hexdigest()))
    return path


@pytest.fixture
def spec(models_toml: Path) -> Spec:
    return read_spec(models_toml)


@pytest.fixture
def installation(spec: Spec, tmp_path: Path) -> Installation:
    repository = tmp_path / "model_repository"
    return Installation(spec, LANGUAGES, repository, Host("cpu", 2), tmp_path / "cache")

"""The small published world as files, its table, and the releases made of it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from export.host import Host
from export.model_set import SetBuilder
from export.spec import Spec
from export.tables import read_spec
from releases.stage import stage_set
from releases.store import ReleaseStore
from tests.unit.export.small_world import FILES, LANGUAGES, NORMALIZATION, TABLE

QUIET = Console(quiet=True)


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
def builder(spec: Spec, tmp_path: Path) -> SetBuilder:
    """It knows no earlier release."""
    return SetBuilder(spec, LANGUAGES, Host("cpu", 2), tmp_path / "cache")


@pytest.fixture(scope="session")
def first_store(table: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with release 1, made once."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "models.toml").write_text(table)
    spec, host = read_spec(folder / "models.toml"), Host("cpu", 2)
    built = SetBuilder(spec, LANGUAGES, host, folder / "cache").build()
    assert sorted(built.built) == sorted(spec.models)
    assert all(comparison.holds for comparison in built.comparisons)
    store = ReleaseStore(folder / "releases")
    assert stage_set(store, built, spec, host, QUIET, dry_run=False) == 1
    return store.root


@pytest.fixture
def store(first_store: Path, tmp_path: Path) -> Iterator[ReleaseStore]:
    """The store with release 1, for one test."""
    shutil.copytree(first_store, tmp_path / "releases")
    return ReleaseStore(tmp_path / "releases")


@pytest.fixture
def second_builder(builder: SetBuilder, store: ReleaseStore) -> SetBuilder:
    """It takes from release 1 what is the same."""
    return SetBuilder(builder.spec, LANGUAGES, builder.host, builder.cache, [store.models(1)])

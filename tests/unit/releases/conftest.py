"""A store with two releases and the repository that Triton would read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from export.model_set import SetBuilder
from export.tables import read_spec
from releases.repository import Repository
from releases.stage import stage_set
from releases.store import ReleaseStore
from releases.switch import Switch
from tests.unit.export import conftest as world
from tests.unit.export.conftest import QUIET

table, models_toml, spec, builder = world.table, world.models_toml, world.spec, world.builder
first_store, store, second_builder = world.first_store, world.store, world.second_builder


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


@pytest.fixture
def two(store: ReleaseStore, second_builder: SetBuilder, models_toml: Path) -> ReleaseStore:
    """Release 2 has other crop widths and no accuracy strategy."""
    table = re.sub(r"widths = \[64", "widths = [96", models_toml.read_text())
    head, rest = table.split("[strategies.accuracy]")
    models_toml.write_text(f"{head}[alphabets.latin]{rest.split('[alphabets.latin]')[1]}")
    spec = read_spec(models_toml)
    built = replace(second_builder, spec=spec).build()
    assert stage_set(store, built, spec, second_builder.host, QUIET, dry_run=False) == 2
    return store


@pytest.fixture
def switch(two: ReleaseStore, repository: Repository) -> Switch:
    """Without Triton: it changes files."""
    return Switch(two, repository, None, QUIET)

from __future__ import annotations

import json
import shutil

import pytest

from export.configs import read_config
from releases.errors import ReleaseError
from releases.naming import public_config, served_config
from releases.prune import Pruner
from releases.repository import Repository
from releases.store import ReleaseStore
from releases.switch import Switch
from tests.unit.export.conftest import QUIET


def steps_of(repository: Repository, name: str) -> list[str]:
    config = read_config(repository.folder / name / "config.pbtxt")
    return [step.model_name for step in config.ensemble_scheduling.step]


def test_public_names_lead_to_the_live_release(switch: Switch, repository: Repository) -> None:
    switch.promote(1)
    assert steps_of(repository, "ocr") == ["image_decoding_r1", "page_reading_r1"]
    assert steps_of(repository, "text_detection") == ["text_detection_r1"]
    public = read_config(repository.folder / "page_reading" / "config.pbtxt")
    assert {t.name for t in public.input if t.optional} == {
        "STRATEGY", "LANGUAGE", "DETECT_ORIENTATION", "WORDS", "SCALE",
    }  # fmt: skip
    reader = read_config(repository.folder / "page_reading_r1" / "config.pbtxt")
    assert (reader.name, reader.parameters["release"].string_value) == ("page_reading_r1", "1")


def test_promote_and_rollback_lead_there_and_back(switch: Switch, repository: Repository) -> None:
    switch.promote(1)
    with pytest.raises(ReleaseError, match="did not pass the gate"):
        switch.promote(2)
    switch.promote(2, ungated=True)
    assert steps_of(repository, "ocr")[1] == "page_reading_r2"
    assert "ocr_accuracy" not in repository.public_names()
    told = read_config(repository.folder / "ocr" / "config.pbtxt").parameters["releases"]
    assert json.loads(told.string_value) == {"live": 2, "previous": 1, "canary": None}
    assert switch.rollback() == 1
    assert steps_of(repository, "ocr")[1] == "page_reading_r1"
    assert "ocr_accuracy" in repository.public_names()
    assert repository.releases() == [1, 2]
    assert switch.rollback(2) == 2
    actions = [(e["action"], e["release"]) for e in switch.store.history()[2:]]
    assert actions == [("promote", 1), ("promote", 2), ("rollback", 1), ("rollback", 2)]


def test_there_must_be_something_to_go_back_to(switch: Switch) -> None:
    with pytest.raises(ReleaseError, match="nothing to roll back to"):
        switch.rollback()
    switch.promote(1)
    with pytest.raises(ReleaseError, match="release 2 was never live"):
        switch.rollback(2)


def test_a_damaged_release_does_not_go_live(switch: Switch, repository: Repository) -> None:
    switch.promote(1)
    file = switch.store.models(2) / "text_detection" / "1" / "model.onnx"
    file.chmod(0o644)
    file.write_bytes(b"")
    with pytest.raises(ReleaseError, match=r"text_detection/1/model\.onnx is another"):
        switch.promote(2, ungated=True)
    assert switch.store.state().live == 1
    assert repository.releases() == [1]


def test_files_are_shared_on_one_disk(switch: Switch, repository: Repository) -> None:
    switch.promote(1)
    name = "text_detection/1/model.onnx"
    served = repository.folder / name.replace("detection/", "detection_r1/")
    assert served.samefile(switch.store.models(1) / name)


def test_models_that_a_killed_command_did_not_reach_are_added(switch: Switch, repository) -> None:
    switch.promote(1)
    repository.add(switch.store.models(2), 2)
    shutil.rmtree(repository.folder / "text_recognition_r2")
    switch.promote(2, ungated=True)
    assert (repository.folder / "text_recognition_r2" / "1" / "model.onnx").is_file()


def test_a_repository_that_cannot_be_written_is_told(two: ReleaseStore, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReleaseError, match="cannot be written"):
        Switch(two, Repository(tmp_path / "file" / "models"), None, QUIET).promote(1)
    assert two.state().live is None


def test_prune_keeps_what_is_needed(switch: Switch, repository: Repository) -> None:
    switch.promote(1)
    switch.promote(2, ungated=True)
    switch.rollback()
    pruner = Pruner(switch.store, repository, None, QUIET)
    assert pruner.run(2) == []
    assert pruner.run(1, dry_run=True) == [2]
    assert pruner.run(1) == [2]
    assert (switch.store.numbers(), repository.releases()) == ([1], [1])
    assert switch.store.state().previous is None
    assert pruner.run(1) == []


def test_prune_keeps_candidates(switch: Switch, repository: Repository) -> None:
    switch.promote(1)
    pruner = Pruner(switch.store, repository, None, QUIET)
    assert pruner.run(1) == []
    assert pruner.run(1, candidates=True, dry_run=True) == [2]
    switch.store.note("gate", 2, passed=True)
    assert pruner.run(1) == []
    switch.store.note("gate", 2, passed=False, why="it reads worse")
    assert pruner.run(1) == [2]


def test_a_candidate_that_nobody_knows_is_pruned(two: ReleaseStore, repository) -> None:
    Switch(two, repository, None, QUIET).promote(1)
    repository.add(two.models(2), 9)
    Pruner(two, repository, None, QUIET).run(3)
    assert repository.releases() == [1]


def test_only_a_public_name_takes_no_ragged_batches(store: ReleaseStore) -> None:
    config = read_config(store.models(1) / "text_recognition" / "config.pbtxt")
    assert config.input[0].allow_ragged_batch
    assert not public_config(config, 3).input[0].allow_ragged_batch
    assert served_config(config, 3).input == config.input
    assert "release" not in served_config(config, 3).parameters

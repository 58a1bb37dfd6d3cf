"""A release holds what its table says, or is none: half of one never looks finished."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from export import model_set
from export.errors import ExportError
from export.model_set import STEP_NAMES, ModelSet, SetBuilder
from releases import places
from releases.__main__ import main
from releases.errors import ReleaseError
from releases.manifest import Manifest, content_of
from releases.prune import Pruner
from releases.repository import Repository
from releases.stage import stage_folder, stage_set
from releases.store import ReleaseStore
from releases.switch import Switch
from tests.unit.export.conftest import QUIET
from tests.unit.releases.test_stage import damage


def rewrite(store: ReleaseStore, number: int, keep: str) -> None:
    """Make a release what one was like that was staged without some files, of `keep` only."""
    folder = store.folder(number)
    manifest = store.manifest(number)
    files = {name: file for name, file in manifest.files.items() if name.startswith(keep)}
    for name in set(manifest.files) - set(files):
        (folder / "models" / name).unlink()
    told = manifest.model_copy(update={"files": files, "content": content_of(files)})
    (folder / "manifest.json").write_text(told.model_dump_json())


def release(store: ReleaseStore, *arguments: str) -> int:
    return main(["--releases", str(store.root), *arguments])


@pytest.mark.parametrize("step", STEP_NAMES)
def test_nothing_is_built_without_a_step(
    builder: SetBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    steps = shutil.copytree(model_set.STEPS, tmp_path / "steps")
    shutil.rmtree(steps / step)
    monkeypatch.setattr(model_set, "STEPS", steps)
    with pytest.raises(ExportError, match=rf"{step}/1 has no model\.py"):
        builder.build()


@pytest.mark.parametrize(
    "missing",
    ["page_reading/1/model.py", "text_detection/1/model.onnx", "ocr_accuracy/config.pbtxt",
     "text_recognition_latin/config.pbtxt"],
)  # fmt: skip
def test_what_the_table_says_is_staged_or_nothing(
    second_builder: SetBuilder, tmp_path: Path, missing: str
) -> None:
    built, target = second_builder.build(), ReleaseStore(tmp_path / "elsewhere")
    files = {path: data for path, data in built.files.items() if str(path) != missing}
    half: ModelSet = replace(built, files=files)
    with pytest.raises(ReleaseError, match=missing.replace(".", r"\.")):
        stage_set(target, half, second_builder.spec, second_builder.host, QUIET, dry_run=False)
    assert target.numbers() == []


def test_a_release_that_was_staged_without_a_step_is_refused(
    two: ReleaseStore, tmp_path: Path, capsys
) -> None:
    rewrite(two, 1, keep="text_")
    with pytest.raises(ReleaseError) as refused:
        two.verify(1)
    for name in ("page_reading/1/model.py", "image_decoding/config.pbtxt", "ocr/config.pbtxt"):
        assert f"{name} was never staged" in str(refused.value)
    target = ReleaseStore(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError, match="was never staged"):
        stage_folder(target, two.folder(1), QUIET, dry_run=False)
    assert release(two, "verify", "2") == 0
    assert release(two, "verify", "1") == 1


def test_a_recognizer_without_its_alphabet_is_refused(store: ReleaseStore) -> None:
    manifest: Manifest = store.manifest(1)
    latin = manifest.models["text_recognition_latin"].model_copy(update={"alphabet": None})
    models = {**manifest.models, "text_recognition_latin": latin}
    file = store.folder(1) / "manifest.json"
    file.write_text(manifest.model_copy(update={"models": models}).model_dump_json())
    with pytest.raises(ReleaseError, match="text_recognition_latin has no alphabet"):
        store.verify(1)
    models["text_recognition_kana"] = manifest.models["text_recognition"]
    file.write_text(manifest.model_copy(update={"models": models}).model_dump_json())
    with pytest.raises(ReleaseError, match="page_reading knows no alphabet of text_recognition_k"):
        store.verify(1)


def test_broken_releases_are_listed_as_such(
    two: ReleaseStore, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(places.console, "width", 200)
    assert release(two, "list") == 0
    assert "broken" not in capsys.readouterr().out
    (two.models(1) / "page_reading" / "1" / "model.py").unlink()
    (two.folder(2) / "manifest.json").write_text("{")
    assert release(two, "list") == 0
    told = capsys.readouterr().out
    assert told.count("staged, broken") == 2
    assert "release 1 is not whole: page_reading/1/model.py is missing" in told
    assert "release 2 is not whole" in told
    assert "manifest.json is not a readable manifest" in told


def test_verify_goes_on_after_a_damaged_release(two: ReleaseStore, capsys) -> None:
    damage(two.models(1) / "text_detection" / "1" / "model.onnx")
    assert release(two, "verify") == 1
    told = capsys.readouterr()
    assert "release 2: " in told.out
    assert "text_detection/1/model.onnx is another than was staged" in told.err


@pytest.mark.parametrize("harm", ["a byte", "the manifest", "a file"])
def test_a_damaged_release_is_staged_anew_and_pruned(
    store: ReleaseStore, builder: SetBuilder, repository: Repository, harm: str
) -> None:
    built = SetBuilder(builder.spec, builder.languages, builder.host, builder.cache,
                       [store.models(1)]).build()  # fmt: skip
    if harm == "a byte":
        damage(store.models(1) / "page_reading" / "1" / "model.py")
    elif harm == "a file":
        (store.models(1) / "page_reading" / "1" / "model.py").unlink()
    else:
        (store.folder(1) / "manifest.json").unlink()
    assert stage_set(store, built, builder.spec, builder.host, QUIET, dry_run=False) == 2
    assert store.verify(2).size > 0
    Switch(store, repository, None, QUIET).promote(2)
    if harm != "a byte":  # which only `verify` sees
        assert Pruner(store, repository, None, QUIET).run(3) == [1]


def test_what_has_its_name_is_on_the_disk(
    store: ReleaseStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    really = os.fsync

    def fsync(descriptor: int) -> None:
        really(descriptor)
        synced.add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    target = ReleaseStore(tmp_path / "elsewhere")
    with target.locked():
        stage_folder(target, store.folder(1), QUIET, dry_run=False)
    repository = Repository(tmp_path / "repository")
    repository.add(target.models(1), 1)
    for folder in (target.folder(1), repository.folder):
        for path in (folder.parent, *folder.rglob("*")):
            if path != tmp_path:
                assert path.stat().st_ino in synced, path


def test_a_repository_that_lacks_a_model_is_not_up_to_date(
    store: ReleaseStore, repository: Repository
) -> None:
    repository.add(store.models(1), 1)
    assert repository.holds(store.models(1), 1)
    shutil.rmtree(repository.folder / "page_reading_r1")
    assert not repository.holds(store.models(1), 1)

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from export.model_set import SetBuilder
from releases import fitting, stage
from releases.errors import ReleaseError
from releases.manifest import read_manifest
from releases.stage import stage_folder, stage_set
from releases.store import STAGING, ReleaseStore
from tests.unit.export.conftest import QUIET


def damage(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)


def test_the_manifest_tells_where_everything_comes_from(store: ReleaseStore, spec) -> None:
    manifest = store.verify(1)
    model = manifest.models["text_recognition_latin"]
    assert (model.task, model.licence, model.alphabet) == ("recognition", "CC0-1.0", "latin")
    assert model.parity.inputs == model.parity.same > 0
    assert model.parity.reference == "published ONNX"
    assert set(manifest.strategies) == set(spec.strategies)
    assert manifest.tools["onnx"]
    assert manifest.needs == {"triton": "2.51.0"}
    assert manifest.size == sum(f.stat().st_size for f in store.models(1).rglob("*") if f.is_file())


def test_the_same_models_are_the_same_release(
    store: ReleaseStore, second_builder: SetBuilder
) -> None:
    again = second_builder.build()
    spec, host = second_builder.spec, second_builder.host
    assert stage_set(store, again, spec, host, QUIET, dry_run=False) == 1
    assert store.numbers() == [1]


def test_what_is_taken_over_keeps_its_proof(two: ReleaseStore) -> None:
    first, second = (two.manifest(n).models["text_detection"].parity for n in (1, 2))
    assert first == second is not None


def test_a_dry_run_only_tells(store: ReleaseStore, tmp_path: Path) -> None:
    empty, console = ReleaseStore(tmp_path / "empty"), Console(record=True)
    assert stage_folder(empty, store.folder(1), console, dry_run=True) == 1
    assert "would name it release 1" in console.export_text()
    assert not empty.root.exists()


def test_another_machines_release_gets_the_next_number(two: ReleaseStore, tmp_path: Path) -> None:
    elsewhere = ReleaseStore(tmp_path / "elsewhere")
    with elsewhere.locked():
        assert stage_folder(elsewhere, two.folder(2), QUIET, dry_run=False) == 1
    assert elsewhere.verify(1) == two.manifest(2)


def test_a_damaged_release_is_refused_and_named(two: ReleaseStore, tmp_path: Path) -> None:
    taken = shutil.copytree(two.folder(2), tmp_path / "taken")
    damage(taken / "models" / "text_recognition" / "1" / "model.onnx")
    (taken / "models" / "text_detection" / "1" / "model.onnx").unlink()
    (taken / "models" / "extra.txt").write_text("")
    target = ReleaseStore(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError) as refused:
        stage_folder(target, taken, QUIET, dry_run=False)
    assert "text_recognition/1/model.onnx is another than was staged" in str(refused.value)
    assert "text_detection/1/model.onnx is missing" in str(refused.value)
    assert "extra.txt does not belong to it" in str(refused.value)
    assert target.numbers() == []


def test_a_changed_manifest_is_refused(two: ReleaseStore) -> None:
    file = two.folder(2) / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["files"]["ocr/config.pbtxt"]["sha256"] = "0" * 64
    file.write_text(json.dumps(manifest))
    with pytest.raises(ReleaseError, match="was changed"):
        two.verify(2)
    file.write_text("{")
    with pytest.raises(ReleaseError, match="not a readable manifest"):
        read_manifest(two.folder(2))


def test_a_disk_without_room_is_told_before_anything_is_written(
    store: ReleaseStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "_DISK_RESERVE", 1 << 60)
    target = ReleaseStore(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError, match=r"free some.*prune"):
        stage_folder(target, store.folder(1), QUIET, dry_run=False)
    assert not target.root.exists()


def test_a_disk_that_fills_while_it_is_written_leaves_nothing(
    store: ReleaseStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, copied = ReleaseStore(tmp_path / "elsewhere"), []

    def copy(source: Path, to: Path) -> None:
        if len(copied) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        copied.append(to)
        to.write_bytes(source.read_bytes())

    monkeypatch.setattr(stage.shutil, "copyfile", copy)
    with pytest.raises(ReleaseError, match="No space left on device"):
        stage_folder(target, store.folder(1), QUIET, dry_run=False)
    assert list(target.root.iterdir()) == []


def test_numbers_are_never_given_twice(two: ReleaseStore, tmp_path: Path) -> None:
    shutil.move(two.folder(2), tmp_path / "taken")
    assert two.next_number() == 3


def test_only_one_command_works_at_a_time(store: ReleaseStore) -> None:
    with store.locked(), pytest.raises(ReleaseError, match="another release command"):  # noqa: SIM117
        with ReleaseStore(store.root).locked():
            pass


def test_an_unknown_release_names_those_that_there_are(two: ReleaseStore) -> None:
    with pytest.raises(ReleaseError, match=r"no release 7 .* staged: 1, 2"):
        two.verify(7)


def test_memory_that_is_short_is_told(store: ReleaseStore, tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 100 kB\nMemAvailable: 1000 kB\n")
    with pytest.raises(ReleaseError, match=r"1 MiB are free.*prune --keep 1"):
        fitting.require_memory(store.models(1), meminfo)
    meminfo.write_text("MemTotal: 100 kB\nMemAvailable: 100000000 kB\n")
    fitting.require_memory(store.models(1), meminfo)


def test_what_a_killed_stage_left_is_no_release(store: ReleaseStore, tmp_path: Path) -> None:
    (store.root / STAGING / "models" / "half").mkdir(parents=True)
    assert store.numbers() == [1]

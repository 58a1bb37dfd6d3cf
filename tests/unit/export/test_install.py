from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from export import parity
from export.errors import AlphabetError, ExportError, ParityError
from export.install import Installation
from export.spec import read_spec


def _files(repository: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(repository)): path.read_bytes()
        for path in repository.rglob("*")
        if path.is_file()
    }


def test_every_model_has_its_files_and_every_config_its_version(installed: Installation) -> None:
    repository, release = installed.repository, str(installed.spec.release)
    for name in installed.spec.models:
        assert (repository / name / release / "model.onnx").is_file()
    folders = [path.parent for path in repository.glob("*/config.pbtxt")]
    assert {folder.name for folder in folders} >= {"ocr", "ocr_balanced", "page_reading"}
    assert all((folder / release).is_dir() for folder in folders)
    assert {path.name for path in repository.parent.iterdir() if path.name.startswith(".")} == set()


def test_a_file_says_what_it_is(installed: Installation) -> None:
    path = installed.repository / "text_recognition_latin" / "3" / "model.onnx"
    said = {entry.key: entry.value for entry in onnx.load_model(path).metadata_props}
    assert said["task"] == "recognition"
    assert said["alphabet"] == "latin"
    assert said["licence"] == "CC0-1.0"
    assert said["pixels_per_step"] == "8"
    assert said["languages"] == "en de"
    assert said["source_sha256"] == installed.spec.sources["world"].sha256
    assert said["source"].endswith(" rec.onnx")


def test_a_second_run_does_nothing(installed: Installation) -> None:
    before = _files(installed.repository)
    outcome = installed.run()
    assert (outcome.built, outcome.changed) == ([], [])
    assert _files(installed.repository) == before


def test_languages_outlive_a_run_that_builds_nothing(installed: Installation) -> None:
    config = installed.repository / "page_reading" / "config.pbtxt"
    first = config.read_text()
    config.unlink()
    assert installed.run().changed == [Path("page_reading/config.pbtxt")]
    assert config.read_text() == first


def test_tuning_a_threshold_writes_configurations_only(
    installed: Installation, models_toml: Path
) -> None:
    models_toml.write_text(models_toml.read_text().replace("widths = [64", "widths = [96"))
    outcome = replace(installed, spec=read_spec(models_toml)).run()
    assert outcome.built == []
    assert {str(path) for path in outcome.changed} == {
        "page_reading/config.pbtxt",
        "text_recognition/config.pbtxt",
        "text_recognition_latin/config.pbtxt",
    }


def test_another_normalization_builds_the_models_of_its_task(
    installed: Installation, models_toml: Path
) -> None:
    head, tail = models_toml.read_text().split("[tasks.recognition]")
    tail = tail.replace("0.485", "0.5", 1)
    models_toml.write_text(f"{head}[tasks.recognition]{tail}")
    outcome = replace(installed, spec=read_spec(models_toml)).run()
    assert outcome.built == ["text_recognition", "text_recognition_latin"]


def test_a_changed_model_file_is_built_again(installed: Installation) -> None:
    path = installed.repository / "page_orientation" / "3" / "model.onnx"
    good = path.read_bytes()
    path.write_bytes(good + b"\x00")
    assert installed.run().built == ["page_orientation"]
    assert path.read_bytes() == good


def test_a_failed_parity_leaves_the_repository_untouched(
    installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _files(installed.repository)
    monkeypatch.setattr(parity, "PROBABILITY_TOLERANCE", -1.0)
    with pytest.raises(ParityError, match="text_recognition_latin"):
        replace(installed, host=replace(installed.host, cores=7)).run(anew=True)
    assert _files(installed.repository) == before


def test_a_failed_parity_writes_no_first_repository(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "MAP_TOLERANCE", 0.0)
    with pytest.raises(ParityError, match="text_detection"):
        installation.run()
    assert not installation.repository.exists()


def test_a_pack_without_a_language_that_it_must_write_is_not_built(
    installation: Installation, models_toml: Path
) -> None:
    models_toml.write_text(
        models_toml.read_text().replace("must_write = []", 'must_write = ["ru"]')
    )
    with pytest.raises(AlphabetError, match=r"ru \(Russian\) lacks ж"):
        replace(installation, spec=read_spec(models_toml)).run()
    assert not installation.repository.exists()


def test_python_steps_are_left_alone(installation: Installation) -> None:
    step = installation.repository / "page_reading" / "1" / "model.py"
    step.parent.mkdir(parents=True)
    step.write_text("# a step")
    installation.run()
    assert step.read_text() == "# a step"


def test_own_pages_are_proven_even_when_nothing_changed(
    installed: Installation, tmp_path: Path
) -> None:
    (tmp_path / "pages").mkdir()
    with pytest.raises(ExportError, match="holds no image"):
        installed.run(tmp_path / "pages")


def test_the_config_records_the_digest_of_its_file(installed: Installation) -> None:
    config = triton.ModelConfig()
    text_format.Parse((installed.repository / "text_detection/config.pbtxt").read_text(), config)
    assert len(config.parameters["sha256"].string_value) == 64


def test_a_repository_that_cannot_be_written_is_a_clear_error(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        replace(installation, repository=tmp_path / "file" / "models").run()

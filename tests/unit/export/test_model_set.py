from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from export import parity
from export.errors import AlphabetError, ExportError, HostError, ParityError
from export.host import Host
from export.model_set import ModelSet, SetBuilder
from export.precision import PRECISION
from export.tables import read_spec
from releases.store import ReleaseStore
from tests.unit.export.small_world import LANGUAGES


def bytes_of(built: ModelSet, path: str) -> bytes:
    data = built.files[Path(path)]
    return data if isinstance(data, bytes) else data.read_bytes()


def config_of(built: ModelSet, name: str) -> triton.ModelConfig:
    text = bytes_of(built, f"{name}/config.pbtxt").decode()
    return text_format.Parse(text, triton.ModelConfig())


def test_every_model_has_its_files(store: ReleaseStore, spec) -> None:
    for name in spec.models:
        assert (store.models(1) / name / "1" / "model.onnx").is_file()
    folders = {path.parent.name for path in store.models(1).glob("*/config.pbtxt")}
    assert folders == {
        *spec.models, "image_decoding", "page_reading", "ocr", "ocr_balanced", "ocr_accuracy",
    }  # fmt: skip
    assert (store.models(1) / "page_reading" / "1" / "model.py").is_file()


def test_a_file_says_what_it_is(store: ReleaseStore, spec) -> None:
    path = store.models(1) / "text_recognition_latin" / "1" / "model.onnx"
    said = {entry.key: entry.value for entry in onnx.load_model(path).metadata_props}
    assert said["task"] == "recognition"
    assert said["alphabet"] == "latin"
    assert said["licence"] == "CC0-1.0"
    assert said["pixels_per_step"] == "8"
    assert said["languages"] == "en de"
    assert said["source_sha256"] == spec.sources["world"].sha256
    assert said["source"].endswith(" rec.onnx")


def test_what_an_earlier_release_has_is_taken_from_it(second_builder: SetBuilder, store) -> None:
    built = second_builder.build()
    assert (built.built, sorted(built.kept)) == ([], sorted(second_builder.spec.models))
    for path in built.files:
        assert bytes_of(built, str(path)) == (store.models(1) / path).read_bytes()


def test_tuning_a_threshold_builds_no_model(
    second_builder: SetBuilder, store: ReleaseStore, models_toml: Path
) -> None:
    models_toml.write_text(models_toml.read_text().replace("widths = [64", "widths = [96"))
    built = replace(second_builder, spec=read_spec(models_toml)).build()
    assert built.built == []
    changed = {
        str(path)
        for path in built.files
        if bytes_of(built, str(path)) != (store.models(1) / path).read_bytes()
    }
    assert changed == {
        "page_reading/config.pbtxt",
        "text_recognition/config.pbtxt",
        "text_recognition_latin/config.pbtxt",
    }


def test_another_normalization_builds_the_models_of_its_task(
    second_builder: SetBuilder, models_toml: Path
) -> None:
    head, tail = models_toml.read_text().split("[tasks.recognition]")
    tail = tail.replace("0.485", "0.5", 1)
    models_toml.write_text(f"{head}[tasks.recognition]{tail}")
    built = replace(second_builder, spec=read_spec(models_toml)).build()
    assert built.built == ["text_recognition", "text_recognition_latin"]


def test_a_damaged_file_of_an_earlier_release_is_built_again(
    second_builder: SetBuilder, store: ReleaseStore
) -> None:
    path = store.models(1) / "page_orientation" / "1" / "model.onnx"
    good = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(good + b"\x00")
    built = second_builder.build()
    assert built.built == ["page_orientation"]
    assert bytes_of(built, "page_orientation/1/model.onnx") == good


def test_a_failed_parity_is_told(builder: SetBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "MAP_TOLERANCE", 0.0)
    with pytest.raises(ParityError, match="text_detection"):
        builder.build()


def test_anew_proves_what_is_known(
    second_builder: SetBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "PROBABILITY_TOLERANCE", -1.0)
    with pytest.raises(ParityError, match="text_recognition_latin"):
        second_builder.build(anew=True)


def test_a_pack_without_a_language_that_it_must_write_is_not_built(
    builder: SetBuilder, models_toml: Path
) -> None:
    models_toml.write_text(
        models_toml.read_text().replace("must_write = []", 'must_write = ["ru"]')
    )
    with pytest.raises(AlphabetError, match=r"ru \(Russian\) lacks ж"):
        replace(builder, spec=read_spec(models_toml)).build()


def test_own_pages_are_proven_even_when_nothing_changed(
    second_builder: SetBuilder, tmp_path: Path
) -> None:
    (tmp_path / "pages").mkdir()
    with pytest.raises(ExportError, match="holds no image"):
        second_builder.build(tmp_path / "pages")


def test_half_precision_rounds_files_that_no_other_release_takes(
    second_builder: SetBuilder, store: ReleaseStore, tmp_path: Path
) -> None:
    half = replace(second_builder, host=Host("cpu", 2, "FP16")).build()
    model = bytes_of(half, "text_detection/1/model.onnx")
    said = {e.key: e.value for e in onnx.load_model_from_string(model).metadata_props}
    assert said[PRECISION] == "FP16"
    assert not config_of(half, "text_detection").optimization.HasField("execution_accelerators")
    folder = tmp_path / "half" / "text_detection"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.onnx").write_bytes(model)
    (folder / "config.pbtxt").write_bytes(bytes_of(half, "text_detection/config.pbtxt"))
    again = SetBuilder(
        second_builder.spec, LANGUAGES, second_builder.host, tmp_path, [tmp_path / "half"]
    )
    assert "text_detection" not in again._find_kept()


@pytest.mark.parametrize("precision", ["FP32", "BF16", "INT8"])
def test_a_precision_is_pinned_where_the_model_has_ranges(
    second_builder: SetBuilder, precision
) -> None:
    built = replace(second_builder, host=Host("cpu", 2, precision)).build()
    (entry,) = config_of(
        built, "text_detection"
    ).optimization.execution_accelerators.cpu_execution_accelerator
    assert dict(entry.parameters) == {"precision_mode": "FP32"}  # the small world has no ranges


@pytest.mark.parametrize("precision", ["auto", "BF16"])
def test_a_precision_that_a_gpu_does_not_have_is_refused(precision) -> None:
    with pytest.raises(HostError, match="TENSORRT_PRECISION"):
        Host("gpu", 2, precision)

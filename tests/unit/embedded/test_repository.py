import json
from pathlib import Path

import pytest

from embedded.repository import ModelsMissingError, make_engine_folders, models_to_load


def add_model(repository: Path, name: str, backend: str = "python") -> None:
    version = repository / name / "1"
    version.mkdir(parents=True)
    (repository / name / "config.pbtxt").write_text(f'backend: "{backend}"\n')
    if backend == "onnxruntime":
        (version / "model.onnx").touch()


def serve(repository: Path, live: int, previous: int | None = None, canary: int | None = None):
    told = {"live": live, "previous": previous, "canary": canary and {"release": canary}}
    said = json.dumps(json.dumps(told))
    text = f'parameters {{\n  key: "releases"\n  value {{\n    string_value: {said}\n  }}\n}}\n'
    (repository / "ocr").mkdir(exist_ok=True)
    (repository / "ocr" / "config.pbtxt").write_text(text)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for release in (1, 2, 3):
        add_model(tmp_path, f"detector_r{release}", "onnxruntime")
        add_model(tmp_path, f"page_reading_r{release}")
    add_model(tmp_path, "detector")
    serve(tmp_path, 2)
    return tmp_path


def test_the_live_release_and_the_public_names_are_loaded(repository: Path) -> None:
    assert models_to_load(repository) == ["detector", "detector_r2", "ocr", "page_reading_r2"]


def test_the_way_back_and_a_canary_are_loaded_too(repository: Path) -> None:
    serve(repository, 2, previous=1, canary=3)
    assert set(models_to_load(repository)) >= {f"page_reading_r{n}" for n in (1, 2, 3)}


@pytest.mark.parametrize("exists", [True, False])
def test_a_repository_without_models_is_told(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path if exists else tmp_path / "none"
    with pytest.raises(ModelsMissingError, match=r"no models.*python -m releases install"):
        models_to_load(folder)


def test_every_missing_file_is_named(repository: Path) -> None:
    (repository / "detector_r2" / "1" / "model.onnx").unlink()
    (repository / "page_reading_r2" / "config.pbtxt").unlink()
    told = r"lacks detector_r2/1/model\.onnx, page_reading_r2/config\.pbtxt.*MODEL_REPOSITORY"
    with pytest.raises(ModelsMissingError, match=told):
        models_to_load(repository)


def test_a_repository_of_before_the_releases_is_told(repository: Path) -> None:
    (repository / "ocr" / "config.pbtxt").write_text('name: "ocr"\n')
    with pytest.raises(ModelsMissingError, match="which release is live"):
        models_to_load(repository)


def keep_engines(repository: Path, folder: Path) -> None:
    (repository / "detector_r2" / "config.pbtxt").write_text(
        'backend: "onnxruntime"\n'
        f'parameters {{\n  key: "trt_engine_cache_path"\n  value: "{folder}/detector"\n}}\n'
        f'parameters {{\n  key: "trt_timing_cache_path"\n  value: "{folder}"\n}}\n'
    )


def test_folders_for_engines_are_made_whole(repository: Path, tmp_path: Path) -> None:
    keep_engines(repository, tmp_path / "cache" / "tensorrt")
    make_engine_folders(repository, models_to_load(repository))
    assert (tmp_path / "cache" / "tensorrt" / "detector").is_dir()


def test_a_folder_for_engines_that_cannot_be_made_is_told(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keep_engines(repository, tmp_path / "file")
    with pytest.raises(ModelsMissingError, match="ENGINE_CACHE"):
        make_engine_folders(repository, ["detector_r2"])

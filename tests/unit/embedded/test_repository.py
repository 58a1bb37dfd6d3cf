from pathlib import Path

import pytest

from embedded.errors import ModelMissingError
from embedded.repository import model_names, require_models


def write_config(repository: Path, name: str, text: str) -> Path:
    version = repository / name / "1"
    version.mkdir(parents=True)
    (repository / name / "config.pbtxt").write_text(text)
    return version


def test_a_complete_repository_passes(tmp_path: Path) -> None:
    (write_config(tmp_path, "detector", 'backend: "onnxruntime"\n') / "model.onnx").touch()
    write_config(tmp_path, "reader", 'backend: "python"\n')
    require_models(tmp_path)
    assert model_names(tmp_path) == ["detector", "reader"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_repository_without_models_is_told(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path if exists else tmp_path / "none"
    with pytest.raises(ModelMissingError, match=r"no models.*python -m export install"):
        require_models(folder)


def test_every_missing_file_is_named(tmp_path: Path) -> None:
    write_config(tmp_path, "detector", 'name: "detector"\nbackend: "onnxruntime"\n')
    (tmp_path / "reader" / "1").mkdir(parents=True)
    told = r"lacks detector/1/model\.onnx, reader/config\.pbtxt.*MODEL_REPOSITORY"
    with pytest.raises(ModelMissingError, match=told):
        require_models(tmp_path)

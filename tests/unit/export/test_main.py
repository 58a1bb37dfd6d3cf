from __future__ import annotations

from pathlib import Path

import pytest

from export.__main__ import main


def install_into(models_toml: Path, folder: Path) -> list[str]:
    places = ["--model-repository", str(folder / "repository"), "--releases", str(folder / "r")]
    return ["--models", str(models_toml), "install", *places, "--cores", "2"]


@pytest.mark.parametrize("command", ["fetch", "onnx", "install", "release", "plan", "list"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: python -m export" in capsys.readouterr().out


def test_a_wrong_table_ends_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--models", str(tmp_path / "none.toml"), "install"]) == 1
    assert "error: " in capsys.readouterr().err


def test_a_precision_that_a_gpu_does_not_have_is_refused(
    models_toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu = [*install_into(models_toml, tmp_path), "--device", "gpu", "--precision", "BF16"]
    assert main(gpu) == 1
    assert "FP32, FP16, INT8, not BF16" in capsys.readouterr().err
    assert not (tmp_path / "repository").exists()


def test_fetch_reads_every_needed_file(
    models_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--models", str(models_toml), "fetch"]) == 0
    assert capsys.readouterr().out.count("dict.txt") == 2


def test_install_says_what_it_did(
    models_toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install = install_into(models_toml, tmp_path)
    assert main(install) == 0
    shown = capsys.readouterr().out
    assert "greatest difference" in shown
    assert "built and proven: text_detection" in shown
    assert main(install) == 0
    assert "release 1 is live and up to date" in capsys.readouterr().out


def test_onnx_writes_one_model(models_toml: Path, tmp_path: Path) -> None:
    table = ["--models", str(models_toml)]
    assert main([*table, "onnx", "page_orientation", "--output", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["page_orientation.onnx"]


def test_onnx_names_the_models_that_there_are(
    models_toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = ["--models", str(models_toml)]
    assert main([*table, "onnx", "text_detektion", "--output", str(tmp_path)]) == 1
    assert "text_detection" in capsys.readouterr().err


def test_list_names_missing_characters(
    models_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--models", str(models_toml), "list", "--language", "ga"]) == 0
    shown = capsys.readouterr().out
    assert "Irish" in shown
    assert "text_recognition_latin lacks á é" in shown


def test_list_refuses_an_unknown_language(
    models_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--models", str(models_toml), "list", "--language", "xx"]) == 1
    assert "no language 'xx'" in capsys.readouterr().err

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from export.__main__ import main


@pytest.mark.parametrize("command", ["fetch", "onnx", "list"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: python -m export" in capsys.readouterr().out


def test_a_command_does_not_wait_for_what_others_draw_and_compute_with() -> None:
    heavy = {"cv2", "onnxruntime", "pymupdf", "rapidfuzz"}
    told = f"import export.__main__, sys; print(sorted({heavy} & set(sys.modules)))"
    command = [sys.executable, "-c", told]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"[]\n"


def test_fetch_reads_every_needed_file(
    models_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--models", str(models_toml), "fetch"]) == 0
    assert capsys.readouterr().out.count("dict.txt") == 2


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


def test_a_wrong_table_ends_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--models", str(tmp_path / "none.toml"), "fetch"]) == 1
    assert "error: " in capsys.readouterr().err

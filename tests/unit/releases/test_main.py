from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from releases.__main__ import main
from releases.building import host_of
from releases.settings import read_settings

COMMANDS = (
    "install", "stage", "gate", "promote", "rollback", "list", "show", "verify", "prune", "plan",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: python -m releases {command}" in capsys.readouterr().out


def test_a_command_does_not_wait_for_what_others_draw_and_compute_with() -> None:
    heavy = {"cv2", "onnxruntime", "pymupdf", "rapidfuzz"}
    told = f"import releases.__main__, sys; print(sorted({heavy} & set(sys.modules)))"
    command = [sys.executable, "-c", told]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"[]\n"


def install_into(models_toml: Path, folder: Path) -> list[str]:
    places = ["--model-repository", str(folder / "repository"), "--releases", str(folder / "r")]
    return ["--models", str(models_toml), *places, "install", "--cores", "2"]


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


def test_engines_are_kept_where_the_option_or_the_environment_says(monkeypatch) -> None:
    given = {"device": "gpu", "cores": 1, "precision": None, "engine": "onnxruntime"}
    monkeypatch.setenv("ENGINE_CACHE", "/cache/tensorrt")
    host = host_of(Namespace(engine_cache=None, **given), read_settings())
    assert host.engine_cache == "/cache/tensorrt"
    host = host_of(Namespace(engine_cache="/engines", **given), read_settings())
    assert host.engine_cache == "/engines"

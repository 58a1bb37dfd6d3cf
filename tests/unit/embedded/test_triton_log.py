from pathlib import Path

from embedded.triton_log import TritonLog

LOADING = """\
I1123 01:17:41.138830 6756 model_lifecycle.cc:472] "loading: reader:1"
I1123 01:17:43.451731 6756 model_lifecycle.cc:839] "successfully loaded 'detector'"
I1123 01:17:43.451731 6756 model_lifecycle.cc:839] "successfully loaded 'reader'"
"""
FAILING = """\
E1123 01:16:02.1 6332 model.cc:642] "failed to load 'double' version 1: Internal: no\\nnumpy"
I1123 01:16:02.1 6332 model_lifecycle.cc:777] "failed to load 'double'"
+--------+---------+
| double | 1       |
error: creating server: Internal - failed to load all models
"""


def log(tmp_path: Path, text: str) -> TritonLog:
    (tmp_path / "triton.log").write_text(text)
    return TritonLog(tmp_path / "triton.log")


def test_loaded_models_are_counted(tmp_path: Path) -> None:
    assert log(tmp_path, LOADING).loaded_models() == ["detector", "reader"]


def test_no_log_yet_is_no_model(tmp_path: Path) -> None:
    assert TritonLog(tmp_path / "triton.log").loaded_models() == []


def test_a_failed_model_is_explained_by_its_reason(tmp_path: Path) -> None:
    told = log(tmp_path, FAILING).explain_failure()
    assert "double: Internal: no\n    numpy" in told
    assert "error: creating server" not in told
    assert str(tmp_path / "triton.log") in told


def test_another_failure_is_explained_by_the_last_lines_without_tables(tmp_path: Path) -> None:
    told = log(tmp_path, LOADING + "| a | table |\nerror: out of luck\n").explain_failure()
    assert "out of luck" in told
    assert "table" not in told

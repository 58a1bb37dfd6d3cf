"""The command line."""

import fcntl
import json
import sys

import pytest

from bench.__main__ import main
from bench.drawn.folder import draw_folder
from bench.items import load_items
from bench.own_stack import find_free_ports, running_stack
from bench.reading import EngineFailedError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return draw_folder(tmp_path_factory.mktemp("pages"))


def test_score_prints_the_figures(folder, tmp_path, capsys):
    truth = {item.item_id: [{"text": item.full_text}] for item in load_items(folder)}
    truth["letter_en"] = None
    (tmp_path / "p.json").write_text(json.dumps(truth))
    assert main(["score", str(tmp_path / "p.json"), str(folder), "--per-item"]) == 0
    shown = capsys.readouterr().out
    assert "0.0000" in next(line for line in shown.splitlines() if "letter_en" in line)
    assert "1.0000" in next(line for line in shown.splitlines() if "report_en" in line)


def test_score_without_a_prediction_fails(folder, tmp_path, capsys):
    (tmp_path / "p.json").write_text("{}")
    assert main(["score", str(tmp_path / "p.json"), str(folder)]) == 1
    assert "predicts no text item" in capsys.readouterr().err


def test_folder_without_manifest_fails(tmp_path, capsys):
    assert main([str(tmp_path), "--engines", "server"]) == 1
    assert "manifest" in capsys.readouterr().err


def test_language_that_no_page_has_names_those_there(folder, capsys):
    assert main([str(folder), "--engines", "server", "--language", "xx"]) == 1
    assert "de, en, es, fr, ja, ru, zh" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--engines", "nobody"], ["--strategies", "fast"], ["--runs", "0"], ["--concurrency", "-1"]],
)
def test_wrong_choices_are_refused(arguments):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


def test_server_that_is_away_is_reported_and_fails(folder, tmp_path, capsys):
    url = f"http://127.0.0.1:{find_free_ports(1)[0]}"
    output = tmp_path / "r.md"
    arguments = ["--engines", "server", "--base-url", url, "--output", str(output)]
    assert main([str(folder), *arguments]) == 1
    assert "does not answer" in output.read_text()


def test_stack_that_ends_at_once_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with (
        pytest.raises(EngineFailedError, match=r"server\.log"),
        running_stack(tmp_path, concurrency=1),
    ):
        pass


def test_second_stack_in_one_folder_is_refused(tmp_path):
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with (
            pytest.raises(EngineFailedError, match="another benchmark"),
            running_stack(tmp_path, concurrency=1),
        ):
            pass


def test_free_ports_differ():
    assert len(set(find_free_ports(4))) == 4

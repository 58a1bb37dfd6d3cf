"""The command line."""

import fcntl
import json
import sys

import pytest

from bench import run_command
from bench.__main__ import main
from bench.own_stack import find_free_ports, running_stack
from bench.reading import EngineFailedError
from quality.drawn.folder import draw_folder
from quality.items import load_items


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


@pytest.mark.parametrize("name", [".", "absent"])
@pytest.mark.parametrize("command", [[], ["score", "p.json"]])
def test_pages_that_are_named_and_not_there_fail(tmp_path, monkeypatch, capsys, command, name):
    monkeypatch.chdir(tmp_path)
    assert main([*command, name]) == 1
    assert "no manifest.json" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["xx", "en,xx"])
def test_language_that_no_page_has_names_those_there(folder, capsys, asked):
    assert main([str(folder), "--engines", "server", "--language", asked]) == 1
    told = capsys.readouterr().err
    assert "no page to measure in xx" in told
    assert "de, en, es, fr, ja, ru, zh" in told


def test_pages_that_nobody_named_are_told(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run_command, "DRAWN_FOLDER", tmp_path / "pages")
    monkeypatch.setattr(run_command, "LABELLED_FOLDER", tmp_path / "absent")
    away = ["--engines", "server", "--base-url", f"http://127.0.0.1:{find_free_ports(1)[0]}"]
    output = tmp_path / "r.md"
    assert main([*away, "--language", "fr", "--output", str(output)]) == 1
    told = (
        f"pages of {tmp_path / 'pages'}, drawn here: no folder is named, and {tmp_path / 'absent'}"
    )
    assert told in capsys.readouterr().out
    assert told.removeprefix("pages of ") in output.read_text()
    monkeypatch.setattr(run_command, "LABELLED_FOLDER", folder)
    assert main([*away, "--language", "fr", "--output", str(output)]) == 1
    assert f"pages of {folder}\n" in capsys.readouterr().out


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

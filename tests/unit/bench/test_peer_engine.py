"""Real workers, with a stand-in for the program that the Tesseract peer runs."""

import sys
from pathlib import Path

import pytest
from PIL import Image

from bench.peer_engine import find_best_split, splits, start_peer
from bench.reading import EngineUnavailableError
from quality.predictions import Line
from tests.unit.quality.items import make_item

PYTHON = Path(sys.executable)

PROGRAM = """#!/bin/sh
case "$1" in
--version) echo "tesseract 9.9" ;;
--list-langs) printf 'List of available languages (1):\\neng\\n' ;;
*)
  [ "$(cat | wc -c)" -gt 400 ] || { echo "too small" >&2; exit 1; }
  printf 'level\\tblock_num\\tpar_num\\tline_num\\tleft\\ttop\\twidth\\theight\\tconf\\ttext\\n'
  printf '4\\t1\\t1\\t1\\t2\\t4\\t16\\t8\\t-1\\t\\n'
  printf '5\\t1\\t1\\t1\\t2\\t4\\t6\\t8\\t90\\tHello\\n'
  printf '5\\t1\\t1\\t1\\t10\\t5\\t8\\t4\\t70\\t"world\\n'
  printf '5\\t1\\t1\\t2\\t2\\t20\\t4\\t4\\t50\\tBye\\n' ;;
esac
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    path = tmp_path / "tesseract"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


@pytest.fixture
def item(tmp_path):
    Image.new("RGB", (20, 40), "white").save(tmp_path / "a.png")
    return make_item(path=tmp_path / "a.png", width=40, height=40)


def test_pages_are_read_by_all_processes(program, item):
    items = [make_item(item_id=str(n), path=item.path, width=40, height=40) for n in range(5)]
    done = []
    with start_peer(PYTHON, "tesseract", processes=2, cores=4) as engine:
        reading = engine.read(items, done.append)
        assert (engine.version, engine.setup) == ("9.9", "2 x 2 threads")
    assert reading.predictions["4"] == [
        Line('Hello "world', (4, 4, 36, 12), 0.8),
        Line("Bye", (4, 20, 12, 24), 0.5),
    ]
    assert len(done) == reading.pages == 5


def test_language_without_data_is_not_answered(program, item):
    german = make_item(path=item.path, language="de")
    with start_peer(PYTHON, "tesseract", processes=1, cores=1) as engine:
        assert engine.read([german], lambda _: None).predictions == {"a": None}


def test_page_that_fails_is_an_error_and_the_next_is_read(program, item, tmp_path):
    Image.new("RGB", (2, 2), "white").save(tmp_path / "tiny.png")
    tiny = make_item(item_id="tiny", path=tmp_path / "tiny.png")
    with start_peer(PYTHON, "tesseract", processes=1, cores=1) as engine:
        reading = engine.read([tiny, item], lambda _: None)
    assert "too small" in reading.errors["tiny"]
    assert list(reading.predictions) == ["a"]


def test_peer_that_is_not_installed_is_unavailable(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with (
        pytest.raises(EngineUnavailableError, match="tesseract-ocr"),
        start_peer(PYTHON, "tesseract", processes=1, cores=1),
    ):
        pass


def test_best_split_is_one_of_those_tried(program, item):
    done = []
    best = find_best_split(PYTHON, "tesseract", [item, item], cores=2, advance=done.append)
    assert best in splits(2)
    assert len(done) == 2 * len(splits(2))


@pytest.mark.parametrize(
    ("cores", "expected"), [(1, [1]), (2, [1, 2]), (8, [1, 2, 8]), (96, [1, 24, 32])]
)
def test_splits_go_from_all_cores_on_a_page_to_a_page_per_core(cores, expected):
    assert splits(cores) == expected

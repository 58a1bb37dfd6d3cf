"""`ocr scan` against the real service over HTTP, with a fake engine behind it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from preprocess_service.errors import EngineFailedError, EngineUnavailableError
from tests.processes import running
from tests.unit.ocr_cli.conftest import png


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.png"
    path.write_bytes(png())
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "scans"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.png", "b.png", "deep/c.png"):
        (folder / name).write_bytes(png())
    (folder / "notes.txt").write_text("no document")
    (folder / ".hidden.png").write_bytes(png())
    (folder / "a.png.ocr.pdf").write_bytes(b"%PDF- of an earlier run")
    return folder


def test_one_file_is_text_on_standard_output(ocr, server, page):
    outcome = ocr("scan", page, "--server", server)
    assert (outcome.status, outcome.out) == (0, b"hello world\n")
    assert list(page.parent.iterdir()) == [page]


def test_format_is_that_of_the_flag_or_of_the_name(ocr, server, page, tmp_path):
    printed = ocr("scan", page, "-f", "json", "--server", server)
    assert json.loads(printed.out)["pages"][0]["text"] == "hello world"
    assert printed.out.endswith(b"}\n")
    named = tmp_path / "out" / "page.json"
    assert ocr("scan", page, "-o", named, "--server", server).status == 0
    assert json.loads(named.read_bytes())["status"] == "succeeded"


def test_folder_is_read_beside_or_into_a_folder(ocr, server, folder, tmp_path):
    outcome = ocr("scan", folder, "--server", server)
    assert outcome.status == 0, outcome.err
    assert {str(p.relative_to(folder)) for p in folder.rglob("*.txt")} == {
        "a.png.txt", "b.png.txt", "deep/c.png.txt", "notes.txt",
    }  # fmt: skip
    assert "[3/3]" in outcome.err
    assert "3 read" in outcome.err
    out = tmp_path / "out"
    assert ocr("scan", folder, "-f", "json", "-o", out, "--server", server).status == 0
    assert {str(p.relative_to(out)) for p in out.rglob("*.*")} == {
        "a.png.json", "b.png.json", "deep/c.png.json",
    }  # fmt: skip


def test_pattern_of_several_goes_to_standard_output_in_order(ocr, server, folder, engine):
    outcome = ocr("scan", f"{folder}/**/*.png", "-o", "-", "-f", "json", "--server", server)
    lines = outcome.out.splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["succeeded"] * 3


def test_options_arrive_and_those_not_given_do_not(ocr, server, page, engine):
    ocr("scan", page, "--server", server, "-l", "de", "-l", "en", "-s", "speed",
        "--no-detect-orientation")  # fmt: skip
    asked = engine.options[0]
    assert (asked.strategy, asked.languages, asked.detect_orientation) == (
        "speed", ("de", "en"), False,
    )  # fmt: skip
    ocr("scan", page, "--server", server)
    assert (engine.options[1].strategy, engine.options[1].detect_orientation) == ("balanced", None)


def test_existing_results_are_never_overwritten_unasked(ocr, server, folder):
    kept = folder / "a.png.txt"
    kept.write_text("precious")
    refused = ocr("scan", folder, "--server", server)
    assert (refused.status, kept.read_text()) == (2, "precious")
    assert "--force" in refused.err
    assert not (folder / "b.png.txt").exists()
    skipped = ocr("scan", folder, "--skip-existing", "--server", server)
    assert skipped.status == 0
    assert "2 read, 1 left out" in skipped.err
    assert (kept.read_text(), (folder / "b.png.txt").read_text()) == ("precious", "hello world\n")
    assert ocr("scan", folder, "--force", "--server", server).status == 0
    assert kept.read_text() == "hello world\n"


def test_one_bad_document_does_not_stop_the_others(ocr, server, folder):
    (folder / "b.png").write_bytes(b"no image")
    outcome = ocr("scan", folder, "--server", server)
    assert outcome.status == 1
    assert "b.png: The bytes are no PDF" in outcome.err
    assert "2 read, 1 failed" in outcome.err
    assert (folder / "deep/c.png.txt").exists()
    assert not (folder / "b.png.txt").exists()


def test_partial_document_is_written_and_told(ocr, server, tmp_path, engine, make_tiff):
    path = tmp_path / "two.tiff"
    path.write_bytes(make_tiff(pages=2))
    engine.outcomes = [EngineFailedError("boom")]
    outcome = ocr("scan", path, "-o", f"{tmp_path}/out/", "--server", server)
    assert outcome.status == 1
    assert "without pages that failed" in outcome.err
    assert (tmp_path / "out" / "two.tiff.txt").exists()


def test_name_that_is_no_text_is_read_too(ocr, server, tmp_path):
    odd = tmp_path / os.fsdecode(b"\xff.png")
    odd.write_bytes(png())
    assert ocr("scan", odd, "-o", f"{tmp_path}/out/", "--server", server).status == 0
    odd.write_bytes(b"no image")
    outcome = ocr("scan", tmp_path, "--force", "--server", server)
    assert (outcome.status, "The bytes are no PDF" in outcome.err) == (1, True)


def test_option_that_the_server_refuses_is_told(ocr, server, page):
    outcome = ocr("scan", page, "--pages", "7", "--server", server)
    assert outcome.status == 1
    assert "page 7 does not exist" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.pdf"], "no such file"),
        (["*.nothing"], "no such file"),
        (["."], "no such file, and no folder"),
        (["page.png", "-f", "docx"], "invalid choice"),
        (["page.png", "--parallel", "0"], "no number from 1"),
        (["page.png", "--server", "ftp://x"], "no http or https URL"),
        (["page.png", "--force", "--skip-existing"], "not allowed with"),
        (["page.png", "other.png", "-o", "page.png"], "is a file"),
        (["page.png", "other.png", "-o", "-", "-f", "pdf"], "A PDF goes to a file"),
        (["page.png", "-o", "page.png", "--force"], "overwritten by its own result"),
        (["one/x.png", "two/x.png", "-o", "out"], "would both be written"),
        (["page.png", "--password"], "expected one argument"),
    ],
)
def test_wrong_usage_is_2_before_anything_is_sent(
    ocr, tmp_path, monkeypatch, server, engine, arguments, told
):
    for name in ("page.png", "other.png", "one/x.png", "two/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if "." not in arguments:
            (tmp_path / name).write_bytes(png())
    monkeypatch.chdir(tmp_path)
    outcome = ocr("scan", *arguments)
    assert outcome.status == 2
    assert told in outcome.err
    assert engine.pages == []


def test_nobody_there_is_3_at_once(ocr, page, unused_tcp_port):
    outcome = ocr("scan", page, "--server", f"127.0.0.1:{unused_tcp_port}")
    assert outcome.status == 3
    assert "ocr serve" in outcome.err


def test_server_that_stays_unable_to_read_is_3(ocr, server, folder, engine):
    engine.away = EngineUnavailableError("Triton answered UNAVAILABLE.")
    outcome = ocr("scan", folder, "--patience", "0.1", "--server", server)
    assert outcome.status == 3
    assert "Triton answered UNAVAILABLE" in outcome.err


def test_result_that_cannot_be_written_is_told(ocr, server, page, tmp_path):
    (tmp_path / "out").write_text("a file where a folder should be")
    outcome = ocr("scan", page, "-o", tmp_path / "out" / "page.txt", "--server", server)
    assert outcome.status == 1
    assert "cannot be written" in outcome.err


def test_environment_names_server_and_password(ocr, server, page, monkeypatch):
    monkeypatch.setenv("OCR_SERVER", server)
    monkeypatch.setenv("OCR_PASSWORD", "x" * 2000)
    outcome = ocr("scan", page)
    assert outcome.status == 1
    assert "password" in outcome.err


def test_ctrl_c_ends_cleanly(server, folder, engine, tmp_path):
    engine.gate = asyncio.Event()
    out = tmp_path / "out"
    command = [sys.executable, "-m", "ocr_cli", "scan", folder, "-o", out, "--server", server]
    with running(command, stderr=subprocess.PIPE, text=True) as process:
        while not engine.in_flight:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert "interrupted" in told
    assert not out.exists()


def test_reader_of_standard_output_that_leaves_is_no_traceback(server, page):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "ocr_cli", "scan", page, "--server", server]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=30)
    os.close(write)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr

"""`ocr doctor` and `ocr serve`: what they find and what they advise."""

import os
import socket
import stat
import subprocess
import sys

import pytest

from ocr_cli.doctor import machine, running, software
from ocr_cli.doctor.check import Check
from preprocess_service.errors import EngineUnavailableError
from tests.unit.embedded.triton_in_place import NO, YES, health_server

_RUNS = Check("Triton", "ok", "ready")
_RESTS = Check("Triton", "warn", "nobody")


def test_table_names_every_row_and_the_exit_status_is_that_of_the_worst(ocr, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    outcome = ocr("doctor", "--server", server)
    table = outcome.out.decode()
    for name in (
        "system", "Python", "libpython", "processors", "memory", "disk", "GPU", "packages",
        "models", "port 8000", "Triton", "OCR server", "job store",
    ):  # fmt: skip
        assert name in table
    assert f"ready at {server}" in table
    assert outcome.status == (1 if " fail " in table else 0)
    monkeypatch.setenv("MODEL_REPOSITORY", "/nowhere")
    outcome = ocr("doctor", "--server", server)
    assert outcome.status == 1
    assert b"no models in /nowhere" in outcome.out
    assert b"make models" in outcome.out


@pytest.mark.parametrize(
    ("check", "level"),
    [
        (machine.check_python((3, 13)), "fail"),
        (machine.check_python((3, 11)), "ok"),
        (machine.check_cores(1), "warn"),
        (machine.check_cores(2), "ok"),
        (machine.check_memory(3.5), "fail"),
        (machine.check_memory(4.5), "warn"),
        (machine.check_memory(8), "ok"),
    ],
)
def test_thresholds(check, level):
    assert check.level == level
    assert bool(check.remedy) == (level != "ok")


def test_disk_of_a_folder_that_is_not_there_yet_is_that_of_its_parent(tmp_path):
    rows = machine.check_machine({"DATA_DIR": str(tmp_path / "not" / "yet")})
    disk = next(row for row in rows if row.name == "disk")
    assert str(tmp_path / "not" / "yet") in disk.found
    assert machine.check_disk(tmp_path, 1).level == "fail"


def test_port_is_free_ours_or_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert running.check_port("PORT", port, _RUNS).level == "ok"
        refused = running.check_port("PORT", port, _RESTS)
        assert (refused.level, "set PORT" in refused.remedy) == ("fail", True)
    assert running.check_port("PORT", port, _RESTS).found == "free"
    assert running.check_port("PORT", "http", _RESTS).level == "fail"


def test_triton_is_asked_whether_it_is_ready(unused_tcp_port):
    for answer, told in ((YES, "ready"), (NO, "not ready")):
        with health_server(ServerReady=answer) as address:
            assert running.check_triton({"TRITON_URL": address}).found == f"{told} at {address}"
    with health_server() as address:
        assert "another program" in running.check_triton({"TRITON_URL": address}).found
    away = running.check_triton({"TRITON_URL": f"127.0.0.1:{unused_tcp_port}"})
    assert away.level == "fail"
    assert running.check_triton({"TRITON_URL": "triton"}).level == "fail"


def test_a_triton_without_http_has_no_row_of_its_port(monkeypatch):
    monkeypatch.setattr(running, "check_triton", lambda settings: _RESTS)
    rows = running.check_running({"TRITON_HTTP_PORT": "0"}, "http://127.0.0.1:9", None)
    assert "port 0" not in {row.name for row in rows}
    assert "port 8001" in {row.name for row in rows}


def test_server_that_cannot_read_says_why(server, engine):
    assert running.check_server(server, None).level == "ok"
    engine.away = EngineUnavailableError("Triton answered UNAVAILABLE.")
    row = running.check_server(server, None)
    assert (row.level, "UNAVAILABLE" in row.found) == ("fail", True)


def test_job_store_that_does_not_answer_fails_without_its_password(unused_tcp_port):
    row = running.check_job_store(f"redis://:secret@127.0.0.1:{unused_tcp_port}/0")
    assert row.level == "fail"
    assert "secret" not in row.found
    assert running.check_job_store("nonsense").level == "fail"
    assert running.check_job_store(None).level in ("ok", "warn")


def test_models_are_complete_or_named(tmp_path):
    model = tmp_path / "text_detection"
    (model / "1").mkdir(parents=True)
    assert "text_detection" in software.check_models(tmp_path).found
    (model / "config.pbtxt").write_text('backend: "onnxruntime"\n')
    assert software.check_models(tmp_path).level == "fail"
    (model / "1" / "model.onnx").write_bytes(b"x")
    assert software.check_models(tmp_path).level == "ok"


def _interpreter_that_tells(tmp_path):
    tells = tmp_path / "python"
    tells.write_text('#!/bin/sh\necho "$HOST:$PORT $@"\n')
    tells.chmod(tells.stat().st_mode | stat.S_IXUSR)
    return str(tells)


def test_serve_becomes_the_stack(tmp_path, monkeypatch):
    python = _interpreter_that_tells(tmp_path)
    code = (
        "import sys; from ocr_cli import serve, __main__;"
        "serve.require_stack = lambda: None;"
        f"sys.executable = {python!r}; sys.argv = ['ocr', 'serve', '--port', '8123'];"
        "sys.exit(__main__.main())"
    )
    environment = os.environ | {"HOST": "0.0.0.0"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=30
    )
    assert done.stdout == "0.0.0.0:8123 -m embedded serve\n", done.stderr


def test_serve_without_the_stack_says_how_to_install_it(ocr, monkeypatch):
    monkeypatch.setattr("ocr_cli.serve.find_spec", lambda name: None)
    outcome = ocr("serve")
    assert outcome.status == 2
    assert "`make setup` in a checkout" in outcome.err
    assert "make serve" in outcome.err

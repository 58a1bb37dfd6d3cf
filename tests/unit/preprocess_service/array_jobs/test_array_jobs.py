"""The batch runner over folders, with real rasterizing processes and a fake engine."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from preprocess_service.array_jobs.runner import RETURNS
from preprocess_service.errors import EngineFailedError, EngineUnavailableError
from tests.processes import running

ROOT = Path(__file__).parents[4]


@pytest.fixture
def source(tmp_path, make_image, make_pdf):
    folder = tmp_path / "in"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.png").write_bytes(make_image())
    (folder / "b.PDF").write_bytes(make_pdf("one", "two"))
    (folder / "deep" / "er" / "c.png").write_bytes(make_image())
    (folder / "notes.txt").write_text("no document")
    (folder / ".hidden.png").write_bytes(make_image())
    return folder


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out"


def _results(target):
    found = (path.relative_to(target) for path in target.rglob("*") if path.is_file())
    return {str(path) for path in found if path.parts[0] != "_batch"}


def test_every_document_gets_its_result_its_record_and_the_summary_counts(batch, source, target):
    outcome = batch(source, target)
    assert outcome.status == 0, outcome.err
    assert _results(target) == {"a.png.json", "b.PDF.json", "deep/er/c.png.json"}
    assert json.loads((target / "b.PDF.json").read_text())["metadata"]["pages"] == 2
    record = json.loads((target / "_batch/done/b.PDF.json.json").read_text())
    assert record["source_sha256"] == hashlib.sha256((source / "b.PDF").read_bytes()).hexdigest()
    result = (target / "b.PDF.json").read_bytes()
    assert record["result_sha256"] == hashlib.sha256(result).hexdigest()
    assert (record["pages"], record["options"]["strategy"]) == (2, "balanced")
    summary = outcome.summary
    assert (summary["documents"], summary["read"], summary["pages"]) == (3, 3, 4)
    written = json.loads((target / "_batch/summary-00000-of-00001.json").read_text())
    assert written == summary
    assert not [path for path in target.rglob("*") if path.name.endswith(".part")]


def test_second_run_reads_only_what_is_new_changed_or_lost(
    batch, source, target, engine, make_image
):
    batch(source, target)
    engine.pages.clear()
    assert batch(source, target).summary["skipped"] == 3
    assert engine.pages == []
    (source / "new.png").write_bytes(make_image())
    (source / "a.png").write_bytes(make_image(size=(50, 20)))
    (target / "deep/er/c.png.json").unlink()
    summary = batch(source, target).summary
    assert (summary["read"], summary["skipped"]) == (3, 1)
    assert len(engine.pages) == 3


def test_other_options_are_another_batch(batch, source, target, engine):
    batch(source, target)
    text = batch(source, target, "-f", "text")
    assert text.summary["read"] == 3
    assert (target / "a.png.txt").read_text() == "hello world\n"
    assert batch(source, target).summary["skipped"] == 3
    assert batch(source, target, "--strategy", "speed").summary["read"] == 3
    assert engine.options[-1].strategy == "speed"


def test_results_may_stand_within_or_beside_the_documents(batch, source):
    assert batch(source, source / "deep" / "results").summary["read"] == 3
    assert batch(source / "deep", source).summary["documents"] == 1
    (source / "a.png.ocr.pdf").write_bytes(b"%PDF- of an earlier run")
    assert batch(source, source).summary["documents"] == 3


def test_failed_document_has_its_problem_and_is_tried_again(batch, source, target, make_image):
    (source / "a.png").write_bytes(b"no image")
    outcome = batch(source, target)
    assert outcome.status == 1
    assert (outcome.summary["failed"], outcome.summary["failures"]) == (1, ["a.png"])
    problem = json.loads((target / "a.png.problem.json").read_text())
    assert problem["code"] == "unsupported_media_type"
    (source / "a.png").write_bytes(make_image())
    outcome = batch(source, target)
    assert (outcome.status, outcome.summary["skipped"], outcome.summary["read"]) == (0, 2, 1)
    assert not (target / "a.png.problem.json").exists()


def test_partial_document_is_written_told_and_tried_again(batch, source, target, engine):
    engine.outcomes = [EngineFailedError("boom")]
    for name in ("a.png", "deep/er/c.png"):
        (source / name).unlink()
    outcome = batch(source, target)
    assert (outcome.status, outcome.summary["partial"]) == (1, 1)
    assert json.loads((target / "b.PDF.json").read_text())["status"] == "partial"
    outcome = batch(source, target)
    assert (outcome.status, outcome.summary["read"]) == (0, 1)


def test_file_over_the_limit_and_file_that_cannot_be_opened_fail_alone(batch, source, target):
    (source / "large.pdf").write_bytes(b"%PDF-" + b"x" * (2 << 20))
    (source / "lost.png").symlink_to(source / "nowhere.png")
    outcome = batch(source, target)
    assert sorted(outcome.summary["failures"]) == ["large.pdf", "lost.png"]
    codes = {
        name: json.loads((target / f"{name}.problem.json").read_text())["code"]
        for name in outcome.summary["failures"]
    }
    assert codes == {"large.pdf": "document_too_large", "lost.png": "invalid_document"}


def test_odd_names_are_read_and_pipes_are_not(batch, tmp_path, target, make_image):
    source = tmp_path / "in"
    source.mkdir()
    (source / os.fsdecode(b"\xff [1]*?.png")).write_bytes(make_image())
    (source / "linked.png").symlink_to(source / os.fsdecode(b"\xff [1]*?.png"))
    os.mkfifo(source / "pipe.png")
    outcome = batch(source, target)
    assert (outcome.status, outcome.summary["read"]) == (0, 2), outcome.err
    assert batch(source, target).summary["skipped"] == 2
    (source / os.fsdecode(b"\xff.pdf")).write_bytes(b"no PDF")
    assert batch(source, target).summary["failures"] == ["\\xff.pdf"]


def test_bug_in_reading_one_document_does_not_stop_the_others(batch, source, target, engine):
    engine.outcomes = [object()]
    outcome = batch(source, target, "--parallel", "1")
    assert (outcome.status, outcome.summary["read"], outcome.summary["failed"]) == (1, 2, 1)
    problems = list(target.rglob("*.problem.json"))
    assert json.loads(problems[0].read_text())["code"] == "internal_error"


def test_triton_that_stays_away_stops_the_batch_with_3(batch, source, target, engine):
    engine.away = EngineUnavailableError("Triton answered UNAVAILABLE.")
    outcome = batch(source, target, "--patience", "0.1")
    assert (outcome.status, outcome.summary) == (3, None)
    assert "Triton stayed away: Triton answered UNAVAILABLE." in outcome.err
    assert _results(target) == set()


def test_triton_that_comes_back_is_waited_for(batch, source, target, engine, monkeypatch):
    monkeypatch.setattr(EngineUnavailableError, "retry_after_seconds", 1)
    engine.outcomes = [EngineUnavailableError("restarting")]
    outcome = batch(source, target, "--parallel", "1")
    assert (outcome.status, outcome.summary["read"]) == (0, 3)


@pytest.mark.parametrize("patience", ["0.1", "300"])
def test_a_document_that_alone_finds_triton_away_stops_nothing(
    batch, source, target, engine, monkeypatch, patience
):
    monkeypatch.setattr(EngineUnavailableError, "retry_after_seconds", 0.2)
    engine.outcomes = [EngineUnavailableError("Triton answered UNAVAILABLE.")] * (RETURNS + 1)
    if patience == "0.1":
        engine.outcomes = engine.outcomes[:1]
    outcome = batch(source, target, "--parallel", "1", "--patience", patience)
    assert (outcome.status, outcome.summary["failed"], outcome.summary["read"]) == (1, 1, 2)
    problem = json.loads((target / f"{outcome.summary['failures'][0]}.problem.json").read_text())
    assert (problem["code"], problem["retryable"]) == ("engine_unavailable", True)
    assert batch(source, target).status == 0


def test_output_that_cannot_be_written_stops_the_batch_with_3(batch, source, target):
    target.write_text("a file where a folder should be")
    outcome = batch(source, target)
    assert outcome.status == 3
    assert "The output cannot be used" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{tmp}/nowhere", "{tmp}/out"], "There is no folder"),
        (["{tmp}/in", "{tmp}/out", "--dpi", "7"], "dpi"),
        (["{tmp}/in", "nosuch://bucket"], "nosuch"),
        (["{tmp}/in", "{tmp}/out", "--shards", "4"], "which of them this is"),
    ],
)
def test_wrong_usage_is_2(batch, source, tmp_path, arguments, told):
    outcome = batch(*(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert outcome.status == 2
    assert told in outcome.err


def test_shards_together_read_everything_once(batch, tmp_path, target, make_image, monkeypatch):
    source = tmp_path / "in"
    source.mkdir()
    for number in range(12):
        (source / f"{number}.png").write_bytes(make_image())
    counts = []
    for index in range(3):
        monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_INDEX", str(index))
        monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_SIZE", "3")
        counts.append(batch(source, target).summary["read"])
        assert (target / f"_batch/summary-0000{index}-of-00003.json").exists()
    assert sum(counts) == 12
    assert len(_results(target)) == 12


_SLOW_BATCH = """
import argparse, asyncio, sys
from functools import partial
from preprocess_service import wiring
from preprocess_service.array_jobs import command
from preprocess_service.settings import Settings
from tests.fakes import FakeEngine

class Engine(FakeEngine):
    async def recognize(self, pixels, options, context):
        with open(sys.argv[1], "a") as log:
            print(context.request_id, file=log)
        await asyncio.sleep(0.05)
        return await super().recognize(pixels, options, context)

parser = argparse.ArgumentParser()
command.add_arguments(parser)
arguments = parser.parse_args(sys.argv[2:])
settings = Settings(rasterizer_processes=1)
parts = settings, Engine(), wiring.make_budget(settings)
sys.exit(command.run(arguments, settings, partial(wiring.open_pipeline, *parts)))
"""


@pytest.mark.parametrize(("how", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path, target, make_image, how, status):
    source = tmp_path / "in"
    source.mkdir()
    for number in range(20):
        (source / f"{number:02}.png").write_bytes(make_image())
    log = tmp_path / "log"
    command = [sys.executable, "-c", _SLOW_BATCH, log, source, target, "--parallel", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    records = target / "_batch" / "done"
    with running(command, env=environment, stderr=subprocess.DEVNULL) as process:
        while len(list(records.glob("*.json"))) < 5:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(how)
        assert process.wait(60) == status
    done = {path.name for path in records.glob("*.json")}
    assert 5 <= len(done) < 20
    read_before = len(log.read_text().splitlines())

    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert again.returncode == 0, again.stderr
    summary = json.loads(again.stdout)
    assert (summary["skipped"], summary["read"]) == (len(done), 20 - len(done))
    assert len(log.read_text().splitlines()) - read_before == 20 - len(done)
    for number in range(20):
        record = json.loads((records / f"{number:02}.png.json.json").read_text())
        result = (target / f"{number:02}.png.json").read_bytes()
        assert record["result_sha256"] == hashlib.sha256(result).hexdigest()

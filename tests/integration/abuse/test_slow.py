"""Callers that keep what they have: bodies, events, results."""

import time

import pytest

from tests.integration.abuse.attacks import documents, slow
from tests.integration.abuse.target import rounds, untold


@pytest.fixture(scope="module")
def large_result(target) -> str:
    """A job whose result has 20 MB."""
    return documents.crowded_job(target)


def test_bodies_that_drip(attempt, target, many_files):
    with attempt("7", "100 bodies of /ocr/process-batch at 1 kB/s, 4 s"):
        refused = slow.dripping_batches(target, count=100, seconds=4, rate=1000)
    assert {answer.status_code for answer in refused} == {429}
    assert len(refused) == 100 - 64
    assert all("UPLOADS_PER_CALLER" in answer.json()["detail"] for answer in refused)
    assert untold(refused) == []


def test_events_that_are_followed(attempt, target, many_files):
    job = slow.endless_job(target)
    with attempt("11", "1,500 callers that follow one job, 4 s"):
        refused = slow.followers(target, job, count=1500, seconds=4)
    with target.client() as client:
        client.delete(f"/api/v1/jobs/{job}").raise_for_status()
    assert {answer.status_code for answer in refused} == {429}
    assert len(refused) >= 1500 - 100 - 60
    assert any("WAITS_PER_CALLER" in answer.json()["detail"] for answer in refused)
    assert untold(refused) == []


def test_results_that_are_left(attempt, target, large_result):
    refused = []
    with attempt("4", "a result of 20 MB, six times at once, leaving at once, 4 s"):
        for _ in rounds(4):
            refused += slow.leave_results(target, large_result)
    assert {answer.status_code for answer in refused} == {429}
    assert untold(refused) == []


def test_results_that_nobody_takes(attempt, target, large_result):
    with attempt("17", "a result of 20 MB, six times, of which nothing is taken, 4 s"):
        refused = slow.untaken_results(target, large_result, count=6, seconds=4)
    assert {answer.status_code for answer in refused} == {429}
    assert all("RESULTS_PER_CALLER" in answer.json()["detail"] for answer in refused)
    assert untold(refused) == []


@pytest.mark.lengthy
def test_a_result_that_nobody_takes_is_cut_off(attempt, target, large_result):
    with (
        attempt("17", "a result of 20 MB of which nothing is taken, to its end"),
        slow.ask_for_result(target, large_result) as connection,
    ):
        time.sleep(60 + 15)
        assert slow.is_cut_off(connection)


@pytest.mark.lengthy
def test_bodies_that_drip_too_slowly_are_told(attempt, target, many_files):
    with attempt("7", "60 bodies of /ocr/process-batch at 500 B/s, to their end"):
        refused = slow.dripping_batches(target, count=60, seconds=45, rate=500)
    assert {answer.status_code for answer in refused} == {408}
    assert len(refused) == 60
    assert untold(refused) == []

"""Keys that are guessed, and the work of another key."""

from dataclasses import replace

from tests.integration.abuse.attacks import keys
from tests.integration.abuse.target import rounds, untold


def test_a_job_is_its_callers_alone(keyed_attempt, keyed):
    target, _ = keyed
    other = replace(target, headers={"X-API-Key": keys.KEYS["other"]})
    job = keys.submitted(other, "the-same")
    answers = []
    with keyed_attempt("13", "another key's job listed, read, followed, canceled, submitted again"):
        for _ in rounds(1):
            answers += keys.take_job(target, job)
            assert keys.submitted(target, "the-same") != job
            with target.client() as client:
                assert job not in client.get("/api/v1/jobs?limit=100").text
    assert {answer.status_code for answer in answers} == {404}
    with other.client() as client:
        assert client.get(f"/api/v1/jobs/{job}/status").json()["status"] == "queued"


def test_keys_are_not_guessed(keyed_attempt, keyed):
    target, _ = keyed
    with keyed_attempt("19", "200 wrong keys"):
        answers = keys.guesses(target)
        with target.client() as client:  # from the same address
            assert client.get("/api/v1/jobs").status_code == 200
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 180
    assert "WRONG_KEYS_PER_MINUTE" in answers[-1].json()["detail"]
    assert untold(answers) == []


def test_nothing_is_told_without_a_key(keyed_attempt, keyed):
    target, _ = keyed
    nobody = replace(target, headers={})
    with keyed_attempt("20", "figures and documentation without a key"):
        answers = [answer for _ in rounds(1) for answer in keys.figures(nobody)]
        with nobody.client() as client:
            assert client.get("/health").status_code == 200
    assert {answer.status_code for answer in answers} == {401}
    assert untold(answers) == []

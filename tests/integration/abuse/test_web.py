"""Hosts and receivers that mean harm."""

from tests.integration.abuse.attacks import web
from tests.integration.abuse.siege import IS_TIMED
from tests.integration.abuse.target import STRANGER, Target, rounds, untold
from tests.integration.whole_stack import wait_for

_DELIVERIES_TO_ONE_HOST = 2 * 4


def test_documents_by_url_without_end(attempt, target, hostile):
    answers = []
    with attempt("14", "gzip with a tail without end, and gzip of 4 GB, six at once, 4 s"):
        for _ in rounds(4):
            answers += web.endless_documents(target, hostile.url)
    assert {answer.status_code for answer in answers} == {200, 413}
    assert untold(answers) == []


def test_addresses_that_are_not_public(attempt, target):
    with attempt("19", "documents at 192.88.99.1 and other addresses that are not public"):
        answers = web.private_addresses(target)
    assert {answer.status_code for answer in answers} == {403}


def test_a_receiver_that_is_never_done(attempt, target, hostile):
    stranger = Target(target.url, address=STRANGER)
    quiet = max(web.seconds_of_job(stranger) for _ in range(3))
    with attempt("5", "24 jobs told to a receiver that answers byte by byte"), hostile.drip():
        answers = web.jobs_told_to(target, hostile.url, count=24)
        assert {answer.status_code for answer in answers} == {202}
        wait_for(lambda: hostile.dripping >= _DELIVERIES_TO_ONE_HOST, "deliveries", 20)
        under = max(web.seconds_of_job(stranger) for _ in range(3))
        assert hostile.dripping <= _DELIVERIES_TO_ONE_HOST
    assert not IS_TIMED or under <= 2 * quiet + 1, (
        f"a stranger's job took {under:.1f} s, before {quiet:.1f}"
    )

"""Heads, ids and numbers without end, and bytes for Triton."""

import psutil
import pytest

from tests.integration.abuse.attacks import heads
from tests.integration.abuse.target import rounds, untold


def test_heads_without_end(attempt, target):
    answers = []
    with attempt("1", "20 MB of tiny headers; 60 MB in one header, eight times"):
        answers += heads.tiny_headers(target)
        for _ in range(8):
            answers += heads.large_header(target)
    assert {answer.status_code for answer in answers} <= {431}
    assert untold(answers) == []


@pytest.mark.parametrize(
    ("head", "setting"),
    [(b"X: " + b"y" * 70_000, "MAX_HEAD_KB"), (b"a:b\r\n" * 101, "MAX_HEADERS")],
    ids=["bytes", "headers"],
)
def test_a_head_a_little_too_large_is_told_its_limit(target, head, setting):
    (answer,) = heads.said(target, [heads.HEAD + head + b"\r\n\r\n"])
    assert answer.status_code == 431
    assert setting in answer.json()["detail"]


def test_what_ends_triton_does_not_reach_it(attempt, target, stack):
    family, _ = stack
    with attempt("2", "700,000 chunks of a byte, 500 KB of [, as for Triton's HTTP"):
        answers = heads.tiny_chunks(target) + heads.brackets(target)
    assert {answer.status_code for answer in answers} <= {404, 422}
    assert untold(answers) == []
    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for process in (family, *family.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_numbers_and_ids_without_end(attempt, target):
    answers = []
    with attempt("18", "5,000 digits wherever there is a number or an id"):
        for _ in rounds(1):
            answers += heads.long_numbers(target)
    assert {answer.status_code for answer in answers} <= {400, 404, 413, 422}
    assert untold(answers) == []

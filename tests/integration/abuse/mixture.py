"""Honest and hostile callers at once, each of whom goes on until told to stop."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.drawing import draw_pdf, sentence
from tests.integration.abuse.attacks import documents, heads, slow, web
from tests.integration.abuse.hostile_web import HostileWeb
from tests.integration.abuse.target import PROCESS, SUBMIT, Target, untold
from tests.odd_files import ODD_FILES

HONEST, HOSTILE = ("127.0.0.2", "127.0.0.5"), ("127.0.0.3", "127.0.0.4")
_PATIENCE_SECONDS = 120
_BUSY = {429, 503}
Attack = Callable[[Target], list[httpx.Response]]


@dataclass
class Outcome:
    """What callers met.

    Attributes:
        honest: How often each honest request was answered, by its kind.
        waited: How often one was told to come again.
        lost: The honest requests that were not answered as they should be, with the reason.
        hostile: How often each status was answered to an attack.
        untold: Refusals without their limit, and failures of the service.
    """

    honest: Counter[str] = field(default_factory=Counter)
    waited: int = 0
    lost: list[str] = field(default_factory=list)
    hostile: Counter[int] = field(default_factory=Counter)
    untold: list[str] = field(default_factory=list)


def attacks(host: HostileWeb, job: str) -> Sequence[Attack]:
    """All that are made, of a second or some each; `job` has a large result."""
    return (
        heads.tiny_headers, heads.large_header, heads.tiny_chunks, heads.brackets,
        heads.long_numbers, documents.crowded_at_once, documents.never_drawn,
        documents.active_text, odd_files,
        lambda target: slow.dripping_batches(target, count=100, seconds=4, rate=1000),
        followed_and_canceled,
        lambda target: slow.leave_results(target, job),
        lambda target: slow.untaken_results(target, job, count=6, seconds=3),
        lambda target: web.endless_documents(target, host.url),
        web.private_addresses,
        lambda target: web.jobs_told_to(target, host.url, count=6),
    )  # fmt: skip


def odd_files(target: Target) -> list[httpx.Response]:
    """Ten of the odd and hostile files."""
    with target.client() as client:
        return [
            client.post(PROCESS, files={"file": (file.name, file.make())})
            for file in random.sample(ODD_FILES, 10)
        ]


def followed_and_canceled(target: Target) -> list[httpx.Response]:
    """A job without end, followed by 300 until it is canceled."""
    job = slow.endless_job(target)
    answers = slow.followers(target, job, count=300, seconds=3)
    with target.client() as client:
        return [*answers, client.delete(f"/api/v1/jobs/{job}")]


@contextmanager
def callers(target: Target, made: Sequence[Attack], outcome: Outcome) -> Iterator[None]:
    """All of them, until the block ends and each has finished what it began."""
    ended = threading.Event()
    threads = [
        *[threading.Thread(target=_be_honest, args=(target.at(a), outcome, ended)) for a in HONEST],
        *[
            threading.Thread(target=_be_hostile, args=(target.at(a), made, outcome, ended))
            for a in HOSTILE
        ],
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _be_hostile(
    target: Target, made: Sequence[Attack], outcome: Outcome, ended: threading.Event
) -> None:
    while not ended.is_set():
        try:
            answers = random.choice(made)(target)
        except httpx.HTTPError:  # a service may hang up on whoever means harm
            continue
        outcome.hostile.update(answer.status_code for answer in answers)
        outcome.untold += untold(answers)


def _be_honest(target: Target, outcome: Outcome, ended: threading.Event) -> None:
    with target.client() as client:
        while not ended.is_set():
            for ask in (_read, _read_three, _read_later):
                _ask(ask, client, outcome)


def _ask(ask: Callable[..., None], client: httpx.Client, outcome: Outcome) -> None:
    try:
        ask(lambda send: _patiently(send, outcome), client)
        outcome.honest[ask.__name__] += 1
    except (AssertionError, httpx.HTTPError) as exc:
        outcome.lost.append(f"{ask.__name__}: {exc!r}"[:500])


Patiently = Callable[[Callable[[], httpx.Response]], httpx.Response]


def _patiently(send: Callable[[], httpx.Response], outcome: Outcome) -> httpx.Response:
    """The answer of a request that is sent again when the service says so."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while (answer := send()).status_code in _BUSY and time.monotonic() < ends:
        outcome.waited += 1
        time.sleep(int(answer.headers["retry-after"]))
    return answer


def _document(pages: int) -> tuple[bytes, str]:
    number = random.randrange(10**6)
    lines = [[sentence(number + page + line) for line in range(6)] for page in range(pages)]
    return draw_pdf(lines), lines[-1][-1].split()[0]


def _read(patiently: Patiently, client: httpx.Client, pages: int = 1) -> None:
    file, word = _document(pages)
    options = {"text_layer": "ignore"}
    answer = patiently(lambda: client.post(PROCESS, files={"file": file}, data=options))
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    assert word in answer.json()["pages"][-1]["text"], answer.text


def _read_three(patiently: Patiently, client: httpx.Client) -> None:
    _read(patiently, client, 3)


def _read_later(patiently: Patiently, client: httpx.Client) -> None:
    file, word = _document(2)
    answer = patiently(lambda: client.post(SUBMIT, files={"file": file}))
    assert answer.status_code == 202, f"{answer.status_code} {answer.text}"
    job = f"/api/v1/jobs/{answer.json()['job_id']}"
    ends = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < ends:
        told = patiently(lambda: client.get(f"{job}/status", params={"wait": 10}))
        if told.json()["status"] not in {"queued", "running"}:
            break
    result = patiently(lambda: client.get(f"{job}/result"))
    assert result.status_code == 200, f"{result.status_code} {result.text}"
    assert word in result.json()["pages"][-1]["text"], result.text

"""Small documents that ask for time, for memory or to be obeyed."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import httpx

from tests.drawing import draw_pdf
from tests.integration.abuse.target import PROCESS, SUBMIT, Target
from tests.odd_files.bombs import crowded_pages, slow_pages

_WHOLE_TEXT = {"text_layer": "only", "words": "true"}
_FORMS = ("tsv", "html", "hocr", "json")


@cache
def crowded(pages: int) -> bytes:
    """Pages that share one stream of 14,000 words: a few KB say megabytes."""
    return crowded_pages(pages, 14_000)


def crowded_at_once(target: Target) -> list[httpx.Response]:
    """Forty pages of shared text as JSON with words, twice at once."""
    with target.client() as client, ThreadPoolExecutor(2) as pool:
        files = {"file": crowded(40)}
        sent = [pool.submit(client.post, PROCESS, files=files, data=_WHOLE_TEXT) for _ in range(2)]
        return [answer.result() for answer in sent]


def crowded_job(target: Target) -> str:
    """The id of a job whose result has 20 MB of such text, once it is finished."""
    with target.client() as client:
        answer = client.post(SUBMIT, files={"file": crowded(4)}, data=_WHOLE_TEXT)
        job = answer.raise_for_status().json()["job_id"]
        while (told := client.get(f"/api/v1/jobs/{job}/status?wait=10").json())["status"] in {
            "queued",
            "running",
        }:
            time.sleep(0.1)
    assert told["status"] == "succeeded", told
    return str(job)


def never_drawn(target: Target, count: int = 6, seconds: float = 4) -> list[httpx.Response]:
    """Documents of forty pages none of which is ever drawn; given up after so long."""

    def send(pages: int) -> list[httpx.Response]:
        with target.client(timeout=seconds) as client, contextlib.suppress(httpx.TimeoutException):
            return [client.post(PROCESS, files={"file": slow_pages(pages)})]
        return []

    with ThreadPoolExecutor(count) as pool:
        answers = pool.map(send, range(40, 40 + count))
        return [answer for sent in answers for answer in sent]


def active_text(target: Target) -> list[httpx.Response]:
    """A page whose text is formulas and a script, in each form that a program may open."""
    page = draw_pdf([["=1+cmd|calc!A0", "@SUM(1)", "<script>alert(1)</script>"]])
    with target.client() as client:
        return [
            client.post(
                PROCESS,
                files={"file": page},
                data={"output_format": form, "text_layer": "only"},
            )
            for form in _FORMS
        ]

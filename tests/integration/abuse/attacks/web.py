"""Documents by URL that have no end, and receivers that keep whoever tells them of a job."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.drawing import draw_pdf, sentence
from tests.integration.abuse.target import SUBMIT, Target

_URL = "/api/v1/ocr/url"
_AT_ONCE = 6


def endless_documents(target: Target, web: str) -> list[httpx.Response]:
    """Documents in gzip that go on behind their end, or unpack to 4 GB, some at once."""
    with target.client() as client, ThreadPoolExecutor(_AT_ONCE) as pool:
        urls = [f"{web}/{path}" for path in ("tail", "bomb")] * (_AT_ONCE // 2)
        fresh = {"Cache-Control": "no-store"}
        sent = [pool.submit(client.post, _URL, json={"url": url}, headers=fresh) for url in urls]
        return [answer.result() for answer in sent]


def private_addresses(target: Target) -> list[httpx.Response]:
    """Documents at addresses that are no public ones, or only look it."""
    hosts = ("192.88.99.1", "169.254.169.254", "[::1]", "0x7f.1", "[64:ff9b::7f00:1]")
    with target.client() as client:
        return [client.post(_URL, json={"url": f"http://{host}/"}) for host in hosts]


def jobs_told_to(target: Target, receiver: str, count: int) -> list[httpx.Response]:
    """So many jobs of a page, each of whose ends is to be told there."""
    with target.client() as client:
        return [
            client.post(
                SUBMIT,
                files={"file": draw_pdf([[sentence(number)]])},
                data={"callback_url": f"{receiver}/told", "text_layer": "only"},
            )
            for number in range(count)
        ]


def seconds_of_job(target: Target) -> float:
    """How long a job of one page takes from its submission to its end."""
    with target.client() as client:
        answer = client.post(SUBMIT, files={"file": draw_pdf([[sentence(1)]])})
        job = answer.raise_for_status().json()["job_id"]
        told = client.get(f"/api/v1/jobs/{job}/status", params={"wait": 60})
    assert told.json()["status"] == "succeeded", told.text
    return answer.elapsed.total_seconds() + told.elapsed.total_seconds()

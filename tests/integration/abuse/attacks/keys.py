"""Keys that are guessed, and work of another key."""

from functools import cache

import httpx

from tests.drawing import draw_pdf
from tests.integration.abuse.target import SUBMIT, Target

KEYS = {name: f"key-of-the-{name}-0123456789" for name in ("attacker", "stranger", "other")}
FIGURES = ("/metrics", "/stats", "/models", "/gpu/status", "/docs", "/openapi.json")


@cache
def _page() -> bytes:
    """The same bytes each time: an idempotency key belongs to them."""
    return draw_pdf([["mine alone"]])


def guesses(target: Target, count: int = 200) -> list[httpx.Response]:
    """So many wrong keys, one after the other."""
    with target.client() as client:
        return [
            client.get("/api/v1/jobs", headers={"X-API-Key": f"guess-{number:011}"})
            for number in range(count)
        ]


def submitted(target: Target, idempotency_key: str) -> str:
    """The id of a job under that key."""
    with target.client() as client:
        answer = client.post(
            SUBMIT,
            files={"file": _page()},
            headers={"Idempotency-Key": idempotency_key},
        )
    return str(answer.raise_for_status().json()["job_id"])


def take_job(target: Target, job: str) -> list[httpx.Response]:
    """Look at a job, read it, follow it and cancel it."""
    with target.client() as client:
        return [
            client.get(f"/api/v1/jobs/{job}/status"),
            client.get(f"/api/v1/jobs/{job}/result"),
            client.get(f"/api/v1/jobs/{job}/events"),
            client.delete(f"/api/v1/jobs/{job}"),
        ]


def figures(target: Target) -> list[httpx.Response]:
    """All that tells what runs here."""
    with target.client() as client:
        return [client.get(path) for path in FIGURES]

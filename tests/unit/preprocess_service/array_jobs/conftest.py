import argparse
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from preprocess_service.array_jobs import command
from preprocess_service.array_jobs.shards import COUNT_VARIABLE, INDEX_VARIABLES
from preprocess_service.settings import Settings
from preprocess_service.wiring import make_budget, open_pipeline
from tests.fakes import FakeEngine


@dataclass
class Outcome:
    """What a run left behind; no summary where it was stopped."""

    status: int
    summary: dict[str, Any] | None
    err: str


Batch = Callable[..., Outcome]


@pytest.fixture
def batch(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], engine: FakeEngine
) -> Iterator[Batch]:
    """`python -m preprocess_service batch` with these arguments and a fake engine."""
    for name in (*INDEX_VARIABLES, COUNT_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(rasterizer_processes=1, max_file_size_mb=2)

    def run(*arguments: object) -> Outcome:
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        parsed = parser.parse_args([*map(str, arguments)])
        open_fake = partial(open_pipeline, settings, engine, make_budget(settings))
        status = command.run(parsed, settings, open_fake)
        out, err = capfd.readouterr()
        return Outcome(int(status), json.loads(out) if out else None, err)

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield run
    root.handlers[:] = handlers
    root.setLevel(level)

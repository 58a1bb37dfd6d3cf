"""Every option of `python -m releases` does something or is refused with what mends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from releases.__main__ import main
from releases.store import ReleaseStore

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(two: ReleaseStore, tmp_path: Path, capsys, monkeypatch) -> Run:
    """`python -m releases …` on two releases; nothing is live, no Triton runs."""
    monkeypatch.delenv("SERVICE_URL", raising=False)

    def run(*arguments: str) -> tuple[int, str]:
        places = ["--releases", str(two.root), "--model-repository", str(tmp_path / "models")]
        try:
            status = main([*places, *arguments])
        except SystemExit as ended:
            status = int(str(ended.code))
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("promote 1 --canary 0", "must be above 0"),
        ("promote 1 --canary 101", "100 at most"),
        ("promote 1 --shadow -1", "must be above 0"),
        ("promote 1 --canary nan", "must be above 0"),
        ("promote 1 --canary 5 --canary-seconds 0", "must be above 0"),
        ("promote 1 --canary 5 --canary-seconds inf", "must be above 0"),
        ("promote 0", "must be at least 1"),
        ("gate 2 --f1-loss -0.1", "greater than or equal to 0"),
        ("gate 2 --least-f1 80", "less than or equal to 1"),
        ("gate 2 --slower 0", "greater than 0"),
        ("gate 2 --cer-gain nan", "finite"),
        ("gate 2 --boxes-share much", "valid number"),
    ],
)
def test_nonsense_is_no_value(run: Run, command: str, why: str) -> None:
    status, told = run(*command.split())
    assert status == 2
    assert why in told


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("promote 1 --shadow 100", "add --service URL"),
        ("promote 1 --canary 5 --service http://127.0.0.1:9", "add --shadow"),
        ("promote 1 --canary-seconds 5", "add --canary"),
        ("promote 1 --canary 5 --offline", "not --offline"),
        ("promote 1 --canary 5 --offline --dry-run", "not --offline"),
        ("--triton 127.0.0.1:9 promote 1 --offline", "--offline says that none runs"),
        ("stage --from somewhere --precision INT8 --anew", "leave out --precision, --anew"),
        ("promote 99 --offline", "there is no release 99"),
        ("promote 99 --offline --dry-run", "there is no release 99"),
        ("rollback --to 99 --offline", "there is no release 99"),
        ("show 99", "there is no release 99"),
        ("verify 99", "there is no release 99"),
    ],
)
def test_what_would_be_ignored_is_refused(run: Run, command: str, why: str) -> None:
    status, told = run(*command.split())
    assert status == 1
    assert why in told

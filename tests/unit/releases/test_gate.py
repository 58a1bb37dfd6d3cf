"""What the gate marks, without a Triton: loading and reading are replaced."""

from __future__ import annotations

from typing import cast

import pytest

from releases.control import TritonControl
from releases.errors import GateError, ReleaseError
from releases.gate import Gate, GateReport
from releases.judgement import Figures, Group
from releases.limits import GateLimits
from releases.repository import Repository
from releases.store import ReleaseStore
from releases.switch import Switch
from tests.unit.export.conftest import QUIET

GOOD, BAD = (
    Figures(pages=1, f1=f1, f1_by_language={"en": f1}, cer=None, boxes=1, p95_seconds=1)
    for f1 in (0.9, 0.1)
)


class Unloaded:
    """A Triton that has nothing loaded."""

    def is_ready(self, name: str) -> bool:
        return False


@pytest.fixture
def gate(switch: Switch, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Of a candidate with two strategies: release 1, beside release 2."""
    switch.promote(2)
    monkeypatch.setattr(Gate, "_load", lambda *_: None)
    monkeypatch.setattr(Gate, "_compare", lambda *_: None)
    monkeypatch.setattr("releases.gate.require_memory", lambda *_: None)
    control = cast(TritonControl, Unloaded())
    return Gate(switch.store, repository, control, QUIET, None, [], GateLimits())


def reads(monkeypatch: pytest.MonkeyPatch, figures: Figures) -> list[str]:
    """Let every strategy of the candidate read so; returns which did."""
    done: list[str] = []

    def measure(_: Gate, report: GateReport, strategy: str) -> None:
        done.append(strategy)
        group = Group(strategy=strategy, recognizer="kana", candidate=figures, live=GOOD)
        report.groups.append(group)

    monkeypatch.setattr(Gate, "_measure", measure)
    return done


def test_every_strategy_is_read_and_the_candidate_waits_loaded(gate, monkeypatch) -> None:
    done = reads(monkeypatch, GOOD)
    assert gate.run(1)
    assert done == gate.store.manifest(1).strategies == ["balanced", "accuracy"]
    assert 1 in gate.store.state().gated
    assert gate.repository.names_of(1)


def test_a_trial_of_one_strategy_unlocks_nothing(gate: Gate, monkeypatch) -> None:
    done = reads(monkeypatch, GOOD)
    trial = Gate(**{**vars(gate), "strategies": ["balanced"]})
    assert not trial.run(1)
    assert done == ["balanced"]
    assert 1 not in gate.store.state().gated
    assert gate.repository.names_of(1) == []
    assert not (gate.store.root / "gates").exists()
    # Nor does it take back what a whole gate found; but where it fails it does.
    gate.run(1)
    trial.run(1)
    assert 1 in gate.store.state().gated
    reads(monkeypatch, BAD)
    with pytest.raises(GateError, match=r"balanced, kana: F1 0\.1000, live 0\.9000"):
        trial.run(1)
    assert 1 not in gate.store.state().gated


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_strategy_that_the_candidate_lacks_is_named(gate: Gate, dry_run: bool) -> None:
    trial = Gate(**{**vars(gate), "strategies": ["balanced", "typo"]})
    with pytest.raises(ReleaseError, match="--strategy typo: release 1 has balanced, accuracy"):
        trial.run(1, dry_run=dry_run)


def test_what_the_candidate_no_longer_reads_is_a_fault(
    switch: Switch, gate: Gate, monkeypatch
) -> None:
    reads(monkeypatch, GOOD)
    switch.promote(1, ungated=True)
    with pytest.raises(GateError, match="strategy accuracy: the live release reads it"):
        gate.run(2)
    assert Gate(**{**vars(gate), "allow_loss": True}).run(2)


def test_a_release_that_is_not_there_cannot_be_gated(gate: Gate) -> None:
    with pytest.raises(ReleaseError, match="there is no release 99"):
        gate.run(99)
    with pytest.raises(ReleaseError, match="release 2 is live"):
        gate.run(2)


def test_the_report_is_kept_and_can_be_shown(gate: Gate, monkeypatch) -> None:
    reads(monkeypatch, GOOD)
    gate.run(1)
    report = ReleaseStore(gate.store.root).root / "gates" / "1.json"
    assert GateReport.model_validate_json(report.read_bytes()).groups[0].name == "balanced, kana"

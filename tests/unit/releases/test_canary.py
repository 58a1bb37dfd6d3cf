from __future__ import annotations

from typing import cast

import pytest
from rich.console import Console

from releases import canary
from releases.canary import CanaryWatch
from releases.control import Counts, TritonControl
from releases.errors import GateError, ReleaseError
from releases.limits import CanaryLimits
from releases.repository import Repository
from releases.store import Canary
from releases.switch import Switch

LIMITS = CanaryLimits(0.01)


class Traffic:
    """A Triton whose models have answered so many pages more at each look."""

    def __init__(self, pages: int) -> None:
        self.pages, self.seen = pages, 0

    def is_ready(self, name: str) -> bool:
        return True

    def load(self, name: str) -> None:
        pass

    def counts(self, name: str) -> Counts:
        self.seen += self.pages
        return Counts(self.seen, 0, float(self.seen))


@pytest.fixture
def live(switch: Switch) -> Switch:
    """Release 1 is live, release 2 passed the gate."""
    switch.promote(1)
    state = switch.store.state()
    switch.store.save(state.model_copy(update={"gated": [1, 2]}))
    return switch


def watch(switch: Switch, repository: Repository, pages: int = 20) -> CanaryWatch:
    traffic = cast(TritonControl, Traffic(pages))
    return CanaryWatch(switch.store, repository, traffic, Console())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "_POLL_SECONDS", 0.01)


def test_a_dry_run_tells_of_the_canary_and_changes_nothing(live, repository, capsys) -> None:
    asked = Canary(release=2, share=0.05, shadow=0.1)
    watch(live, repository).run(asked, CanaryLimits(600), dry_run=True)
    told = capsys.readouterr().out.replace("\n", " ")
    assert "would canary of release 2: 5% of documents, 10% of pages" in told
    assert [e["action"] for e in live.store.history()][-1] == "promote"


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("release", "why"), [(1, "release 1 is live"), (99, "there is no release 99")]
)
def test_only_another_release_that_is_there_is_a_canary(
    live, repository, release, why, dry_run
) -> None:
    with pytest.raises(ReleaseError, match=why):
        watch(live, repository).run(Canary(release=release, share=1), LIMITS, dry_run=dry_run)


def test_without_a_live_release_there_is_no_canary(switch: Switch, repository: Repository) -> None:
    with pytest.raises(ReleaseError, match="leave out --canary"):
        watch(switch, repository).run(Canary(release=1, share=1), LIMITS)


def test_a_release_that_no_gate_let_through_is_no_canary(switch: Switch, repository) -> None:
    switch.promote(1)
    with pytest.raises(ReleaseError, match="release 2 did not pass the gate"):
        watch(switch, repository).run(Canary(release=2, share=1), LIMITS)


@pytest.mark.parametrize(("pages", "passes"), [(0, False), (9, False), (10, True)])
def test_a_shadow_of_few_pages_is_no_proof(live, repository, monkeypatch, pages, passes) -> None:
    looks = iter([{}, *[{"alike": float(pages)}] * 1000])
    monkeypatch.setattr(canary, "_shadowed", lambda *_: next(looks))
    run = watch(live, repository).run
    if passes:
        run(Canary(release=2, shadow=1), LIMITS)
    else:
        with pytest.raises(GateError, match=f"{pages} pages were read in the shadow"):
            run(Canary(release=2, shadow=1), LIMITS)
    assert live.store.state().canary is None


def test_pages_too_few_to_compare_speed_are_told(live, repository, capsys) -> None:
    watch(live, repository, pages=1).run(Canary(release=2, share=1), CanaryLimits(0.001))
    assert "no speed was compared" in capsys.readouterr().out


def test_a_canary_without_traffic_is_given_up(live, repository) -> None:
    with pytest.raises(GateError, match="no page reached release 2"):
        watch(live, repository, pages=0).run(Canary(release=2, share=1), LIMITS)

"""A share of real traffic for the candidate, watched, before everyone gets it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from ocr_base.triton import READER, Canary, served_name
from releases.control import Counts, TritonControl, load_all
from releases.errors import GateError, ReleaseError
from releases.limits import CanaryLimits
from releases.repository import Repository
from releases.steps import Step, run_steps
from releases.store import ReleaseStore
from releases.switch import Switch, require_gated

_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class CanaryWatch:
    """Runs a canary to its end."""

    store: ReleaseStore
    repository: Repository
    control: TritonControl
    console: Console

    def run(self, canary: Canary, limits: CanaryLimits, *, dry_run: bool = False) -> None:
        """Give the candidate its share and watch; the share ends with the watch, however it ends.

        Raises:
            GateError: The candidate failed, was slow, read differently, or was asked too little.
            ReleaseError: It did not pass the gate, or there is no live release beside it.
        """
        live = self._require_beside_live(canary.release)
        names = self.repository.names_of(canary.release)
        load = partial(load_all, self.control, names, self.console.print)
        told = f"{canary.share:.0%} of documents, {canary.shadow:.0%} of pages in its shadow"
        steps = [
            Step("load what of the canary is not loaded", load),
            Step(
                f"canary of release {canary.release}: {told}, {limits.seconds:g} s",
                partial(self._run, canary, live, limits),
            ),
        ]
        run_steps(steps, self.console, dry_run=dry_run)

    def _require_beside_live(self, release: int) -> int:
        self.store.manifest(release)
        state = self.store.state()
        if state.live is None:
            raise ReleaseError("no release is live beside it: leave out --canary and --shadow")
        if release == state.live:
            raise ReleaseError(f"release {release} is live: a canary is of another one")
        require_gated(release, state)
        return state.live

    def _run(self, canary: Canary, live: int, limits: CanaryLimits) -> None:
        switch = Switch(self.store, self.repository, self.control, self.console)
        switch.set_canary(canary)
        self.store.note("canary", canary.release, share=canary.share, shadow=canary.shadow)
        try:
            self._watch(canary, live, limits)
        except GateError as error:
            self.store.note("canary", canary.release, passed=False, why=str(error))
            raise
        finally:
            switch.set_canary(None)

    def _watch(self, canary: Canary, live: int, limits: CanaryLimits) -> None:
        names = [served_name(READER, n) for n in (canary.release, live)]
        before = [self.control.counts(name) for name in names]
        seen_before = _shadowed(limits.services, canary.release)
        end = time.monotonic() + limits.seconds
        while time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
            after = [self.control.counts(name) for name in names]
            new, old = (_since(b, a) for b, a in zip(before, after, strict=True))
            _require_healthy(new, old, limits)
            found = _shadowed(limits.services, canary.release)
            seen = {kind: n - seen_before.get(kind, 0) for kind, n in found.items()}
            _require_alike(seen, limits)
        if canary.share and not new.succeeded:
            raise GateError(
                f"no page reached release {canary.release} in {limits.seconds:g} s: "
                "a canary needs traffic over HTTP, or a longer --canary-seconds"
            )
        if canary.shadow:
            _require_enough(seen, limits)
        self.console.print(f"  {new.succeeded} pages, none of them a reason to stop")
        if min(new.succeeded, old.succeeded) < limits.least_pages:
            self.console.print(f"  fewer than {limits.least_pages} of each: no speed was compared")


def _since(before: Counts, after: Counts) -> Counts:
    return Counts(
        after.succeeded - before.succeeded,
        after.failed - before.failed,
        after.seconds - before.seconds,
    )


def _require_healthy(new: Counts, old: Counts, limits: CanaryLimits) -> None:
    asked = new.succeeded + new.failed
    if new.failed > limits.failed_share * asked:
        raise GateError(f"the candidate failed on {new.failed} of {asked} pages")
    if min(new.succeeded, old.succeeded) >= limits.least_pages:
        mean, usual = new.seconds / new.succeeded, old.seconds / old.succeeded
        if mean > limits.slower * usual:
            raise GateError(
                f"the candidate takes {mean:.2f} s for a page, the live one {usual:.2f}"
            )


def _require_alike(seen: dict[str, float], limits: CanaryLimits) -> None:
    pages, different = sum(seen.values()), seen.get("different", 0) + seen.get("failed", 0)
    if pages >= limits.least_pages and different > limits.different_share * pages:
        raise GateError(f"the candidate read {different:.0f} of {pages:.0f} pages otherwise")


def _require_enough(seen: dict[str, float], limits: CanaryLimits) -> None:
    pages = sum(seen.values())
    if pages < limits.least_pages:
        raise GateError(
            f"{pages:.0f} pages were read in the shadow in {limits.seconds:g} s, fewer than "
            f"{limits.least_pages} say nothing: a greater --shadow or a longer --canary-seconds"
        )


def _shadowed(services: Sequence[str], release: int) -> dict[str, float]:
    """Return how many pages were read in the shadow, by outcome, over all services."""
    found: dict[str, float] = {}
    for service in services:
        try:
            text = httpx.get(f"{service}/metrics", timeout=5).raise_for_status().text
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ReleaseError(f"--service {service} does not answer: {error}") from error
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "ocr_shadow_pages_total" and sample.labels["release"] == str(
                    release
                ):
                    outcome = sample.labels["outcome"]
                    found[outcome] = found.get(outcome, 0) + sample.value
    return found

"""A share of real traffic for the candidate, watched, before everyone gets it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from export.errors import GateError, ReleaseError
from export.releases.control import Counts, TritonControl, load_all
from export.releases.limits import CanaryLimits
from export.releases.naming import served_name
from export.releases.repository import Repository
from export.releases.store import Canary, ReleaseStore
from export.releases.switch import Switch

_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class CanaryWatch:
    """Runs a canary to its end."""

    store: ReleaseStore
    repository: Repository
    control: TritonControl
    console: Console

    def run(self, canary: Canary, limits: CanaryLimits) -> None:
        """Give the candidate its share and watch; the share ends with the watch, however it ends.

        Raises:
            GateError: The candidate failed, was slow, read differently, or was never asked.
            ReleaseError: It did not pass the gate.
        """
        state = self.store.state()
        if canary.release not in state.gated or state.live is None:
            raise ReleaseError(f"release {canary.release} did not pass the gate on this server")
        load_all(self.control, self.repository.names_of(canary.release), self.console.print)
        switch = Switch(self.store, self.repository, self.control, self.console)
        switch.set_canary(canary)
        self.store.note("canary", canary.release, share=canary.share, shadow=canary.shadow)
        try:
            self._watch(canary, state.live, limits)
        except GateError as error:
            self.store.note("canary", canary.release, passed=False, why=str(error))
            raise
        finally:
            switch.set_canary(None)

    def _watch(self, canary: Canary, live: int, limits: CanaryLimits) -> None:
        names = [served_name("page_reading", n) for n in (canary.release, live)]
        before = [self.control.counts(name) for name in names]
        seen_before = _shadowed(limits.services, canary.release)
        end = time.monotonic() + limits.seconds
        told = f"{canary.share:.0%} of documents, {canary.shadow:.0%} of pages in its shadow"
        self.console.print(f"canary of release {canary.release}: {told}, {limits.seconds:.0f} s")
        while time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
            after = [self.control.counts(name) for name in names]
            new, old = (_since(b, a) for b, a in zip(before, after, strict=True))
            _require_healthy(new, old, limits)
            seen = _shadowed(limits.services, canary.release)
            _require_alike({k: n - seen_before.get(k, 0) for k, n in seen.items()}, limits)
        if not new.succeeded:
            raise GateError(
                f"no page reached release {canary.release} in {limits.seconds:.0f} s: "
                "a canary needs traffic over HTTP, or a longer --canary-seconds"
            )
        self.console.print(f"  {new.succeeded} pages, none of them a reason to stop")


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
    # Means of a few pages say nothing.
    if min(new.succeeded, old.succeeded) >= 10:
        mean, usual = new.seconds / new.succeeded, old.seconds / old.succeeded
        if mean > limits.slower * usual:
            raise GateError(
                f"the candidate takes {mean:.2f} s for a page, the live one {usual:.2f}"
            )


def _require_alike(seen: dict[str, float], limits: CanaryLimits) -> None:
    pages, different = sum(seen.values()), seen.get("different", 0) + seen.get("failed", 0)
    if pages >= 10 and different > limits.different_share * pages:
        raise GateError(f"the candidate read {different:.0f} of {pages:.0f} pages otherwise")


def _shadowed(services: Sequence[str], release: int) -> dict[str, float]:
    """Return how many pages were read in the shadow, by outcome, over all services."""
    found: dict[str, float] = {}
    for service in services:
        try:
            text = httpx.get(f"{service}/metrics", timeout=5).raise_for_status().text
        except httpx.HTTPError as error:
            raise ReleaseError(f"--service {service} does not answer: {error}") from error
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "ocr_shadow_pages_total" and sample.labels["release"] == str(
                    release
                ):
                    outcome = sample.labels["outcome"]
                    found[outcome] = found.get(outcome, 0) + sample.value
    return found

"""Commands that ask or change what Triton serves: `gate`, `promote`, `rollback` and `prune`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from ocr_base.triton import Canary
from releases.errors import ReleaseError
from releases.limits import CanaryLimits
from releases.places import console, open_control, open_repository, open_store
from releases.settings import Settings, read_settings
from releases.switch import Switch


def run_gate(options: Namespace) -> None:
    """Measure a candidate beside the live release."""
    from releases.gate import Gate
    from releases.limits import GateLimits

    settings = read_settings()
    store, repository = open_store(options, settings), open_repository(options, settings)
    control = open_control(options, settings)
    assert control is not None
    given = {name: getattr(options, name) for name in GateLimits.model_fields}
    limits = GateLimits(**given)
    gate = Gate(
        store, repository, control, console, options.pages, options.strategy, limits,
        allow_loss=options.allow_loss,
    )  # fmt: skip
    with store.locked(), closing(control):
        n, dry_run = options.release, options.dry_run
        is_whole = gate.run(n, dry_run=dry_run)
        if is_whole and not dry_run:
            console.print(f"release {n} passed, and waits loaded; next: `releases promote {n}`")
        elif not is_whole:
            console.print(f"a trial: before a promote, `releases gate {n}` without --strategy")


def run_promote(options: Namespace) -> None:
    """Make a release live, after a canary where one is asked for."""
    from releases.canary import CanaryWatch

    settings = read_settings()
    limits = _canary_limits(options, settings)
    store, repository = open_store(options, settings), open_repository(options, settings)
    control = open_control(options, settings)
    with store.locked():
        if limits is not None and control is not None:
            share, shadow = options.canary / 100, options.shadow / 100
            canary = Canary(release=options.release, share=share, shadow=shadow)
            watch = CanaryWatch(store, repository, control, console)
            watch.run(canary, limits, dry_run=options.dry_run)
        switch = Switch(store, repository, control, console)
        switch.promote(options.release, dry_run=options.dry_run)


def _canary_limits(options: Namespace, settings: Settings) -> CanaryLimits | None:
    """Return how a canary is watched, None where none is asked for; nothing given is ignored."""
    if options.service and not options.shadow:
        raise ReleaseError("--service tells what a shadow found: add --shadow PERCENT")
    if not (options.canary or options.shadow):
        if options.canary_seconds is not None:
            raise ReleaseError("--canary-seconds: add --canary PERCENT or --shadow PERCENT")
        return None
    if options.offline:
        raise ReleaseError("--canary and --shadow need the running Triton, not --offline")
    default = [settings.service_url] if settings.service_url else []
    services = options.service or default
    if options.shadow and not services:
        raise ReleaseError(
            "--shadow compares nothing where nobody tells what it found: "
            "add --service URL of the front service (or set SERVICE_URL)"
        )
    return CanaryLimits(options.canary_seconds or CanaryLimits.seconds, services=services)


def run_rollback(options: Namespace) -> None:
    """Go back to what was live before."""
    settings = read_settings()
    store, repository = open_store(options, settings), open_repository(options, settings)
    with store.locked():
        switch = Switch(store, repository, open_control(options, settings), console)
        switch.rollback(options.to, dry_run=options.dry_run)


def run_prune(options: Namespace) -> None:
    """Unload and delete old releases."""
    from releases.prune import Pruner

    settings = read_settings()
    store, repository = open_store(options, settings), open_repository(options, settings)
    with store.locked():
        pruner = Pruner(store, repository, open_control(options, settings), console)
        pruner.run(options.keep, candidates=options.candidates, dry_run=options.dry_run)

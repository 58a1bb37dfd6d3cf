"""What each `release` command does."""

from __future__ import annotations

import fcntl
from argparse import Namespace
from contextlib import closing

from rich.console import Console
from rich.table import Table

from export.errors import ReleaseError
from export.host import Host, usable_cores
from export.languages import read_languages
from export.model_set import SetBuilder
from export.releases.control import TritonControl, read_key
from export.releases.manifest import Manifest
from export.releases.repository import Repository
from export.releases.signing import Signer
from export.releases.stage import stage_folder, stage_set
from export.releases.store import Canary, ReleaseStore, State
from export.releases.switch import Switch
from export.settings import Settings, read_settings
from export.spec import read_spec

console = Console(soft_wrap=True, highlight=False)
KEEP = 3


def open_store(options: Namespace, settings: Settings) -> ReleaseStore:
    """Return the folder of releases that the options and the environment name."""
    secret_key = getattr(options, "secret_key", None)
    root = options.releases or settings.releases_dir
    return ReleaseStore(root, Signer(settings.release_public_key, secret_key))


def open_repository(options: Namespace, settings: Settings) -> Repository:
    """Return Triton's model repository that the options and the environment name."""
    return Repository(options.model_repository or settings.model_repository)


def open_control(options: Namespace, settings: Settings) -> TritonControl | None:
    """Return the control of the running Triton, None with `--offline`; it answers."""
    if getattr(options, "offline", False):
        return None
    given = settings.triton_control_key
    key = read_key(given.get_secret_value() if given else None, settings.runtime_dir)
    control = TritonControl(options.triton or settings.triton_url, key)
    control.require()
    return control


def run_install(options: Namespace) -> None:
    """Bring the repository up to date with models.toml, before Triton starts."""
    settings = read_settings()
    store, repository = open_store(options, settings), open_repository(options, settings)
    with store.locked():
        state = store.state()
        release = _stage(options, settings, store, dry_run=False)
        if release == state.live and repository.names_of(release):
            console.print(f"release {release} is live and up to date")
        elif state.live is not None and release != state.live and not state.follows_table:
            console.print(
                f"release {release} has these models; release {state.live} stays live, as an "
                f"operator chose: `release gate {release}`, then `release promote {release}`"
            )
        else:
            _require_stopped(settings, repository)
            _make_live(store, repository, release)


def _make_live(store: ReleaseStore, repository: Repository, release: int) -> None:
    from export.releases.prune import Pruner

    quiet = Console(quiet=True)
    Switch(store, repository, None, quiet).promote(release, ungated=True)
    store.save(store.state().model_copy(update={"follows_table": True}))
    Pruner(store, repository, None, quiet).run(KEEP)
    console.print(f"release {release} is live from the next start of Triton")


def _require_stopped(settings: Settings, repository: Repository) -> None:
    """Refuse to change what the local stack serves while it runs."""
    lock = settings.runtime_dir / "lock"
    if repository.folder.resolve() != settings.model_repository.resolve() or not lock.exists():
        return
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReleaseError(
                f"the stack in {settings.runtime_dir} runs: stop it, or bring the models in under "
                "its traffic with `python -m export release stage`, `gate` and `promote`"
            ) from None


def run_stage(options: Namespace) -> None:
    """Build and stage what the models table says, or take a release staged elsewhere."""
    settings = read_settings()
    store = open_store(options, settings)
    with store.locked():
        if options.source is not None:
            release = stage_folder(store, options.source, console, dry_run=options.dry_run)
        else:
            release = _stage(options, settings, store, dry_run=options.dry_run)
        if not options.dry_run:
            console.print(f"release {release} is staged; next: `release gate {release}`")


def _stage(options: Namespace, settings: Settings, store: ReleaseStore, *, dry_run: bool) -> int:
    from export import report

    spec, languages, host = read_spec(options.models), read_languages(), host_of(options, settings)
    known = [store.models(number) for number in reversed(store.numbers())]
    builder = SetBuilder(spec, languages, host, options.cache, known)
    built = builder.build(options.pages, anew=options.anew)
    report.print_parity(console, built.comparisons)
    if built.built:
        console.print(f"built and proven: {', '.join(built.built)}")
    return stage_set(store, built, spec, host, console, dry_run=dry_run)


def host_of(options: Namespace, settings: Settings) -> Host:
    """Return the serving host that the options and the environment name."""
    default = "auto" if options.device == "cpu" else settings.tensorrt_precision
    return Host(
        device=options.device,
        cores=options.cores or usable_cores(),
        precision=options.precision or default,
        engine=options.engine,
        engine_cache=options.engine_cache or Host.engine_cache,
    )


def run_gate(options: Namespace) -> None:
    """Measure a candidate beside the live release."""
    from export.releases.gate import Gate
    from export.releases.limits import GateLimits

    settings = read_settings()
    store, repository = open_store(options, settings), open_repository(options, settings)
    control = open_control(options, settings)
    assert control is not None
    given = {name: getattr(options, name) for name in GateLimits.model_fields}
    limits = GateLimits(**given)
    strategies = options.strategy or ["balanced", "speed"]
    gate = Gate(store, repository, control, console, options.pages, strategies, limits)
    with store.locked(), closing(control):
        gate.run(options.release, dry_run=options.dry_run)
        if not options.dry_run:
            n = options.release
            console.print(f"release {n} passed, and waits loaded; next: `release promote {n}`")


def run_promote(options: Namespace) -> None:
    """Make a release live, after a canary where one is asked for."""
    from export.releases.canary import CanaryWatch
    from export.releases.limits import CanaryLimits

    settings = read_settings()
    store, repository = open_store(options, settings), open_repository(options, settings)
    control = open_control(options, settings)
    with store.locked():
        if (options.canary or options.shadow) and not options.dry_run:
            if control is None:
                raise ReleaseError("--canary and --shadow need the running Triton, not --offline")
            share, shadow = options.canary / 100, options.shadow / 100
            canary = Canary(release=options.release, share=share, shadow=shadow)
            limits = CanaryLimits(options.canary_seconds, services=options.service)
            CanaryWatch(store, repository, control, console).run(canary, limits)
        switch = Switch(store, repository, control, console)
        switch.promote(options.release, dry_run=options.dry_run)


def run_rollback(options: Namespace) -> None:
    """Go back to what was live before."""
    settings = read_settings()
    store, repository = open_store(options, settings), open_repository(options, settings)
    with store.locked():
        switch = Switch(store, repository, open_control(options, settings), console)
        switch.rollback(options.to, dry_run=options.dry_run)


def run_list(options: Namespace) -> None:
    """Show all releases, and what is live."""
    store = open_store(options, read_settings())
    state = store.state()
    table = Table("release", "state", "staged", "device", "precision", "models", "size")
    for number in store.numbers():
        m = store.manifest(number)
        size = f"{m.size / (1 << 20):.0f} MiB"
        row = (m.created_at, m.device, m.precision, str(len(m.models)), size)
        table.add_row(str(number), _state_of(number, state), *row)
    console.print(table)
    if state.switching_to is not None:
        n = state.switching_to
        console.print(f"a switch to {n} was cut off: `release promote {n}` or `release rollback`")


def _state_of(number: int, state: State) -> str:
    if number == state.live:
        return "live"
    if number == state.previous:
        return "previous"
    return "gated" if number in state.gated else "staged"


def run_show(options: Namespace) -> None:
    """Show a release's manifest, and what the gate found."""
    store = open_store(options, read_settings())
    manifest = store.manifest(options.release)
    _print_models(manifest)
    report = store.root / "gates" / f"{options.release}.json"
    if report.is_file():
        from export.releases.gate import GateReport, print_report

        print_report(console, GateReport.model_validate_json(report.read_bytes()))
    console.print(f"manifest: {store.folder(options.release) / 'manifest.json'}")


def _print_models(manifest: Manifest) -> None:
    table = Table("model", "source", "licence", "alphabet", "parity with", "greatest difference")
    for name, m in manifest.models.items():
        proof = (m.parity.reference, f"{m.parity.difference:.1e}") if m.parity else ("-", "-")
        table.add_row(name, m.source, m.licence, m.alphabet or "-", *proof)
    console.print(table)
    needs = ", ".join(f"{name} {what}" for name, what in manifest.needs.items())
    told = f"{manifest.device}, {manifest.precision}, {manifest.size:,} bytes"
    console.print(f"staged {manifest.created_at} for {told}; needs {needs}")


def run_verify(options: Namespace) -> None:
    """Check signature and files of releases."""
    store = open_store(options, read_settings())
    for number in [options.release] if options.release else store.numbers():
        manifest = store.verify(number)
        console.print(f"release {number}: {len(manifest.files)} files as they were staged")


def run_prune(options: Namespace) -> None:
    """Unload and delete old releases."""
    from export.releases.prune import Pruner

    settings = read_settings()
    store, repository = open_store(options, settings), open_repository(options, settings)
    with store.locked():
        pruner = Pruner(store, repository, open_control(options, settings), console)
        pruner.run(options.keep, dry_run=options.dry_run)

"""Commands that build models: `install`, `stage` and `plan`."""

from __future__ import annotations

import fcntl
from argparse import Namespace

from rich.console import Console

from export.host import Host
from export.languages import read_languages
from export.model_set import SetBuilder
from export.tables import read_spec
from ocr_base.machine import usable_cores
from ocr_base.triton import MODEL_VERSION
from releases.errors import ReleaseError
from releases.places import console, open_repository, open_store
from releases.repository import Repository
from releases.settings import Settings, read_settings
from releases.stage import stage_folder, stage_set
from releases.store import ReleaseStore
from releases.switch import Switch

#: Releases that an install leaves in the store.
KEEP = 3


def run_install(options: Namespace) -> None:
    """Bring the repository up to date with models.toml, before Triton starts."""
    settings = read_settings()
    store, repository = open_store(options, settings), open_repository(options, settings)
    with store.locked():
        state = store.state()
        release = _stage(options, settings, store, dry_run=False)
        if release == state.live and repository.holds(store.models(release), release):
            console.print(f"release {release} is live and up to date")
        elif state.live is not None and release != state.live and not state.follows_table:
            console.print(
                f"release {release} has these models; release {state.live} stays live, as an "
                f"operator chose: `releases gate {release}`, then `releases promote {release}`"
            )
        else:
            _require_stopped(settings, repository)
            _make_live(store, repository, release)


def _make_live(store: ReleaseStore, repository: Repository, release: int) -> None:
    from releases.prune import Pruner

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
                "its traffic with `python -m releases stage`, `gate` and `promote`"
            ) from None


def run_stage(options: Namespace) -> None:
    """Build and stage what the models table says, or take a release staged elsewhere."""
    settings = read_settings()
    store = open_store(options, settings)
    if options.source is not None and (ignored := _options_of_a_build(options)):
        told = ", ".join(ignored)
        raise ReleaseError(f"--from takes a release as it was built: leave out {told}")
    with store.locked():
        if options.source is not None:
            release = stage_folder(store, options.source, console, dry_run=options.dry_run)
        else:
            release = _stage(options, settings, store, dry_run=options.dry_run)
        if not options.dry_run:
            console.print(f"release {release} is staged; next: `releases gate {release}`")


def _options_of_a_build(options: Namespace) -> list[str]:
    defaults = {
        "device": "cpu", "cores": None, "precision": None, "engine": "onnxruntime",
        "engine_cache": None, "anew": False, "pages": None, "secret_key": None,
    }  # fmt: skip
    given = [name for name, value in defaults.items() if getattr(options, name) != value]
    return [f"--{name.replace('_', '-')}" for name in given]


def _stage(options: Namespace, settings: Settings, store: ReleaseStore, *, dry_run: bool) -> int:
    from export import report

    spec, languages, host = read_spec(options.models), read_languages(), host_of(options, settings)
    known = [store.models(number) for number in reversed(store.whole())]
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
        engine_cache=options.engine_cache or settings.engine_cache,
    )


def run_plan(options: Namespace) -> None:
    """Build TensorRT plans of a release."""
    from export.plans.build import PlanBuilder, Target

    spec, settings = read_spec(options.models), read_settings()
    names, store = spec.choose(options.model), open_store(options, settings)
    release = options.release or store.state().live
    if release is None:
        raise ReleaseError("no release is live: run `python -m releases install` first")
    store.verify(release)
    precision = options.precision or settings.tensorrt_precision
    target = Target(options.compute_capability, precision)
    builder = PlanBuilder(spec, target, options.output, options.cache)
    for name in names:
        file = store.models(release) / name / MODEL_VERSION / "model.onnx"
        if not file.is_file():
            raise ReleaseError(f"release {release} has no model {name}")
        record = builder.build(name, file.read_bytes())
        console.print(
            f"{name}: {precision}, {record['bytes']:,} bytes in {record['seconds']} s, "
            f"{record['package']} {record['tensorrt']}"
        )

"""What each command does; libraries that take seconds to import are loaded where they are used."""

from __future__ import annotations

from argparse import Namespace

from rich.console import Console

from export import report
from export.configs import VERSION
from export.errors import ExportError, ReleaseError
from export.host import usable_cores
from export.languages import read_languages
from export.releases.commands import open_store
from export.settings import read_settings
from export.spec import Spec, read_spec

console = Console(soft_wrap=True, highlight=False)


def run_fetch(options: Namespace) -> None:
    """Bring all sources into the cache and read every file that is needed of them."""
    from export.build import fetch_sources

    spec = read_spec(options.models)
    sources = fetch_sources(spec, spec.models, options.cache)
    for name, model in spec.models.items():
        for file in model.files:
            size = len(sources[model.source].read(file))
            console.print(f"{name}: {model.source} {file}, {size:,} bytes")


def run_onnx(options: Namespace) -> None:
    """Build, prove and write single ONNX files."""
    from export.build import build, calibrate, prove, read_models
    from export.samples import sample_pages

    spec, languages = read_spec(options.models), read_languages()
    names = _known_models(spec, options.model)
    built = [build(spec, model, languages) for model in read_models(spec, names, options.cache)]
    built = calibrate(spec, built, options.cache, usable_cores())
    pages = sample_pages(options.pages, spec.tasks.detection.limit_long_side)
    report.print_parity(console, prove(spec, built, pages, options.cache, usable_cores()))
    options.output.mkdir(parents=True, exist_ok=True)
    for model in built:
        (options.output / f"{model.name}.onnx").write_bytes(model.onnx)
        console.print(f"wrote {options.output / f'{model.name}.onnx'}")


def run_plan(options: Namespace) -> None:
    """Build TensorRT plans of a release."""
    from export.plans.build import PlanBuilder, Target

    spec = read_spec(options.models)
    settings = read_settings()
    store, precision = (
        open_store(options, settings),
        options.precision or settings.tensorrt_precision,
    )
    release = options.release or store.state().live
    if release is None:
        raise ReleaseError("no release is live: run `python -m export install` first")
    store.verify(release)
    target = Target(options.compute_capability, precision)
    builder = PlanBuilder(spec, target, options.output, options.cache)
    for name in _known_models(spec, options.model):
        file = store.models(release) / name / VERSION / "model.onnx"
        if not file.is_file():
            raise ReleaseError(f"release {release} has no model {name}")
        record = builder.build(name, file.read_bytes())
        console.print(
            f"{name}: {precision}, {record['bytes']:,} bytes in {record['seconds']} s, "
            f"{record['package']} {record['tensorrt']}"
        )


def run_list(options: Namespace) -> None:
    """Show the models table, or who writes one language."""
    from export.build import read_models

    spec, languages = read_spec(options.models), read_languages()
    recognizers = read_models(spec, list(spec.recognizers()), options.cache)
    alphabets = {m.name: m.alphabet for m in recognizers if m.alphabet is not None}
    if options.language is None:
        report.print_models(console, spec, alphabets, languages)
    elif options.language in languages:
        language = languages[options.language]
        report.print_language(console, options.language, language, alphabets)
    else:
        known = ", ".join(languages)
        raise ExportError(f"no language '{options.language}'; languages.toml has {known}")


def _known_models(spec: Spec, names: list[str]) -> list[str]:
    unknown = [name for name in names if name not in spec.models]
    if unknown:
        raise ExportError(f"no model {', '.join(unknown)}; there are {', '.join(spec.models)}")
    return names or list(spec.models)

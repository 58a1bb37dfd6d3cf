"""What each command does; libraries that take seconds to import are loaded where they are used."""

from __future__ import annotations

from argparse import Namespace

from rich.console import Console

from export import report
from export.errors import ExportError
from export.languages import read_languages
from export.tables import read_spec
from ocr_base.machine import usable_cores

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
    names = spec.choose(options.model)
    built = [build(spec, model, languages) for model in read_models(spec, names, options.cache)]
    built = calibrate(spec, built, options.cache, usable_cores())
    pages = sample_pages(options.pages, spec.tasks.detection.limit_long_side)
    report.print_parity(console, prove(spec, built, pages, options.cache, usable_cores()))
    options.output.mkdir(parents=True, exist_ok=True)
    for model in built:
        (options.output / f"{model.name}.onnx").write_bytes(model.onnx)
        console.print(f"wrote {options.output / f'{model.name}.onnx'}")


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

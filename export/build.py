"""From the sources to proven ONNX files, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import track

from export.calibrate import find_ranges, with_ranges
from export.digests import sha256_of
from export.export_key import export_key
from export.fetch import SourceFiles, fetch
from export.languages import Language, require, written
from export.onnx_model import Published, build_onnx, read_published
from export.parity import Comparison, Prover, check
from export.samples import Image, drawn_pages, fit_crop, worn
from export.spec import Spec


@dataclass(frozen=True)
class Built:
    """A model's ONNX file and the language codes that it writes (none but for recognizers)."""

    published: Published
    onnx: bytes
    writes: list[str]

    @property
    def name(self) -> str:
        """The model's name."""
        return self.published.name

    @property
    def sha256(self) -> str:
        """SHA-256 of the ONNX file."""
        return sha256_of(self.onnx)


def fetch_sources(spec: Spec, names: Iterable[str], cache: Path) -> dict[str, SourceFiles]:
    """Return the sources of models by source name, downloaded where the cache lacks them."""
    wanted = {spec.models[name].source for name in names}
    return {
        source: fetch(source, spec.sources[source], spec.files_of(source), cache)
        for source in wanted
    }


def read_models(spec: Spec, names: Sequence[str], cache: Path) -> list[Published]:
    """Return models as published, downloaded where the cache lacks them."""
    sources = fetch_sources(spec, names, cache)
    return [read_published(name, spec, sources[spec.models[name].source], cache) for name in names]


def build(spec: Spec, published: Published, languages: Mapping[str, Language]) -> Built:
    """Return a model's ONNX file.

    Raises:
        AlphabetError: Its alphabet cannot write a language that models.toml asks of the pack.
        SurgeryError: The published graph has another form than the surgery knows.
    """
    writes: list[str] = []
    alphabet = published.alphabet
    if alphabet is not None:
        pack = spec.alphabets.get(alphabet.name)
        require(alphabet, published.name, pack.must_write if pack else (), languages)
        writes = written(alphabet, languages)
    said = {"export_key": export_key(spec, published.name)}
    if alphabet is not None:
        said["languages"] = " ".join(writes)
    return Built(published, build_onnx(published, spec, said), writes)


def calibrate(spec: Spec, models: Sequence[Built], cache: Path, threads: int) -> list[Built]:
    """Return the models with the ranges that 8-bit arithmetic needs, where models.toml wants it.

    Models cut from one published graph share its convolutions, and so their ranges.
    """
    wanted = [model for model in models if model.published.model.int8_skip is not None]
    if not wanted:
        return list(models)
    worn_pages = [image for page in drawn_pages() for image in worn(page)]
    crops = Prover(spec, worn_pages, threads, cache).crops_by(_first_detector(spec, cache))
    lines = spec.tasks.recognition
    fitted = [fit_crop(crop, lines.height, lines.widths, lines.padding) for crop in crops]
    inputs = {"detection": worn_pages, "recognition": fitted}
    found: dict[str, bytes] = {}
    console = Console(stderr=True)
    for group in track(_by_graph(wanted), "calibrating", console=console, transient=True):
        ranges = find_ranges(group[0].onnx, inputs[group[0].published.model.task], threads)
        for model in group:
            found[model.name] = with_ranges(
                model.onnx, ranges, model.published.model.int8_skip or 0
            )
    return [replace(model, onnx=found.get(model.name, model.onnx)) for model in models]


def prove(
    spec: Spec, models: Sequence[Built], pages: Sequence[Image], cache: Path, threads: int
) -> list[Comparison]:
    """Return each model's parity with the published one.

    The line images are cut where the published detector of the default reading finds lines.

    Raises:
        ParityError: A model answers differently, or the pages show no line.
    """
    if not models:
        return []
    prover = Prover(spec, pages, threads, cache)
    crops = prover.crops_by(_first_detector(spec, cache))
    console = Console(stderr=True)
    comparisons: list[Comparison] = []
    for group in track(_by_graph(models), "proving parity", console=console, transient=True):
        comparisons += prover.compare([(m.published, m.onnx) for m in group], crops)
    check(comparisons)
    return comparisons


def _first_detector(spec: Spec, cache: Path) -> Published:
    name = next(name for name, model in spec.models.items() if model.task == "detection")
    return read_models(spec, [name], cache)[0]


def _by_graph(models: Sequence[Built]) -> list[list[Built]]:
    """Group models by the published graph that they were cut from, so that it runs once."""
    groups: dict[tuple[str, str], list[Built]] = {}
    for model in models:
        spec = model.published.model
        groups.setdefault((spec.source, spec.file), []).append(model)
    return list(groups.values())

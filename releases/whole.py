"""Whether a release is whole: what its manifest says it holds, and every byte as it was staged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from google.protobuf import text_format

from export.configs import read_config
from ocr_base.triton import CONFIG, MODEL_VERSION, PUBLIC, READER
from releases.errors import ReleaseError
from releases.manifest import MANIFEST, MODELS, Manifest, content_of, record


def required_files(manifest: Manifest) -> set[str]:
    """Return the files without which a release of these models, steps and strategies is none."""
    weights = ["model.onnx"] + (["model.plan"] if "tensorrt" in manifest.needs else [])
    files = {f"{name}/{MODEL_VERSION}/{file}" for name in manifest.models for file in weights}
    files |= {f"{step}/{MODEL_VERSION}/model.py" for step in manifest.steps}
    ensembles = [PUBLIC, *(f"{PUBLIC}_{strategy}" for strategy in manifest.strategies)]
    return files | {f"{n}/config.pbtxt" for n in (*manifest.models, *manifest.steps, *ensembles)}


def find_gaps(manifest: Manifest) -> list[str]:
    """Return what a manifest lacks of what it says itself; empty: nothing."""
    gaps = [
        f"{name} was never staged" for name in sorted(required_files(manifest) - {*manifest.files})
    ]
    for name, model in manifest.models.items():
        if model.task == "recognition" and not model.alphabet:
            gaps.append(f"{name} has no alphabet")
    return gaps


def find_faults(folder: Path, manifest: Manifest, *, read: bool) -> Iterator[str]:
    """Tell what of a release is missing, foreign or another than was staged.

    Args:
        folder: The release's.
        manifest: Its manifest.
        read: Compare every byte; else only names and sizes, which costs nothing.
    """
    models = folder / MODELS
    found = {str(path.relative_to(models)) for path in models.rglob("*") if path.is_file()}
    wanted = set(manifest.files)
    yield from find_gaps(manifest)
    yield from (f"{name} is missing" for name in sorted(wanted - found))
    yield from (f"{name} does not belong to it" for name in sorted(found - wanted))
    for name in sorted(wanted & found):
        file, staged = models / name, manifest.files[name]
        same = record(file) == staged if read else file.stat().st_size == staged.size
        if not same:
            yield f"{name} is another than was staged"
    if content_of(manifest.files) != manifest.content:
        yield f"{MANIFEST} was changed"
    yield from _unread_alphabets(models, manifest)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Make sure that a release is whole; reads every byte.

    Raises:
        ReleaseError: It names each file that is missing, foreign or another than was staged.
    """
    if faults := list(find_faults(folder, manifest, read=True)):
        told = f"{folder} is no whole release; `releases stage` makes another, `releases prune` "
        raise ReleaseError("\n".join((f"{told}deletes this one:", *faults)))


def _unread_alphabets(models: Path, manifest: Manifest) -> list[str]:
    """Return the recognizers of which the step that reads pages knows no alphabet."""
    file = models / READER / CONFIG
    if not file.is_file():
        return []  # a gap, or missing
    try:
        written = json.loads(read_config(file).parameters["writes"].string_value or "{}")
    except (text_format.ParseError, ValueError):
        return [f"{READER}/config.pbtxt cannot be read"]
    recognizers = [name for name, model in manifest.models.items() if model.task == "recognition"]
    return [f"{READER} knows no alphabet of {n}" for n in recognizers if n not in written]

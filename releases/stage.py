"""`releases stage`: a set of models becomes the next release, or is found to be one already."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import distributions, version
from pathlib import Path

from rich.console import Console

from export.digests import digest_of
from export.host import Host
from export.model_set import STEP_NAMES, Files, ModelSet
from export.spec import ModelSpec, Spec
from releases.errors import ReleaseError
from releases.fitting import require_disk
from releases.manifest import (
    MANIFEST,
    MODELS,
    FileRecord,
    Manifest,
    ModelRecord,
    Parity,
    content_of,
    read_manifest,
)
from releases.steps import Step, run_steps
from releases.store import STAGING, ReleaseStore, sync, sync_tree, write_whole
from releases.whole import check_files, find_gaps

_TOOLS = ("onnx", "onnx-ir", "onnxruntime", "openvino", "numpy", "opencv-python-headless")


def stage_set(
    store: ReleaseStore, built: ModelSet, spec: Spec, host: Host, console: Console, *, dry_run: bool
) -> int:
    """Make a set the next release; returns its number, or that of the release that equals it.

    Raises:
        ReleaseError: It lacks what the table says it holds, or finds no room; nothing is left
            of it.
    """
    records = {str(path): _record(data) for path, data in built.files.items()}
    known = _known_parity(store)
    proven = {c.model: c for c in built.comparisons}

    def model_record(name: str, model: ModelSpec) -> ModelRecord:
        source = spec.sources[model.source]
        onnx = records.get(f"{name}/1/model.onnx")
        parity = known.get(onnx.sha256) if onnx else None
        if name in proven:
            c = proven[name]
            reference = "Paddle" if model.paddle_form else "published ONNX"
            parity = Parity(reference=reference, inputs=c.inputs, same=c.same,
                            difference=c.difference, tolerance=c.tolerance)  # fmt: skip
        return ModelRecord(
            task=model.task, source=source.place, source_sha256=source.sha256, file=model.file,
            licence=source.licence, alphabet=model.alphabet, parity=parity,
        )  # fmt: skip

    manifest = Manifest(
        content=content_of(records),
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        device=host.device,
        precision=host.precision,
        strategies=list(spec.strategies),
        models={name: model_record(name, model) for name, model in spec.models.items()},
        steps=list(STEP_NAMES),
        files=records,
        tools=_versions(),
        needs=built.needs,
    )
    return _stage(store, manifest, built.files, console, dry_run=dry_run)


def stage_folder(store: ReleaseStore, folder: Path, console: Console, *, dry_run: bool) -> int:
    """Take a release that another machine staged; returns its number here.

    Raises:
        ReleaseError: It is damaged or not signed as it must be, or finds no room.
    """
    manifest = read_manifest(folder)
    store.signer.check(folder)
    check_files(folder, manifest)
    files: Files = {Path(name): folder / MODELS / name for name in manifest.files}
    return _stage(store, manifest, files, console, dry_run=dry_run, signed_in=folder)


def _stage(
    store: ReleaseStore,
    manifest: Manifest,
    files: Mapping[Path, bytes | Path],
    console: Console,
    *,
    dry_run: bool,
    signed_in: Path | None = None,
) -> int:
    if gaps := find_gaps(manifest):
        raise ReleaseError("\n".join(("nothing is staged, what was built is not whole:", *gaps)))
    known = store.find(manifest.content)
    if known is not None:
        console.print(f"release {known} has these models already")
        return known
    number, staging = store.next_number(), store.root / STAGING
    require_disk(store.root, manifest.size)
    steps = [
        Step("empty the staging folder", lambda: shutil.rmtree(staging, ignore_errors=True)),
        Step(f"copy {len(files)} files, {manifest.size:,} bytes", lambda: _copy(files, staging)),
        Step("write the manifest", lambda: _write_manifest(store, manifest, staging, signed_in)),
        Step("check every file", lambda: check_files(staging, manifest)),
        Step(f"name it release {number}", lambda: _name(store, staging, number)),
    ]
    try:
        run_steps(steps, console, dry_run=dry_run)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise ReleaseError(f"{store.root} cannot be written: {error}") from error
    return number


def _copy(files: Mapping[Path, bytes | Path], staging: Path) -> None:
    for path, data in files.items():
        target = staging / MODELS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, bytes):
            target.write_bytes(data)
        else:
            shutil.copyfile(data, target)
        target.chmod(0o444)


def _write_manifest(
    store: ReleaseStore, manifest: Manifest, staging: Path, signed_in: Path | None
) -> None:
    if signed_in is None:
        write_whole(staging / MANIFEST, manifest.model_dump_json(indent=1).encode())
        store.signer.sign(staging)
    else:  # byte for byte, as it was signed
        for file in signed_in.glob(f"{MANIFEST}*"):
            shutil.copyfile(file, staging / file.name)
    store.signer.check(staging)


def _name(store: ReleaseStore, staging: Path, number: int) -> None:
    sync_tree(staging)  # what has its name is on the disk
    staging.replace(store.folder(number))
    sync(store.root)
    store.note("stage", number, content=read_manifest(store.folder(number)).content)


def _record(data: bytes | Path) -> FileRecord:
    size = len(data) if isinstance(data, bytes) else data.stat().st_size
    return FileRecord(sha256=digest_of(data), size=size)


def _known_parity(store: ReleaseStore) -> dict[str, Parity]:
    """Return what was proven of files that earlier releases have, by their digest."""
    found: dict[str, Parity] = {}
    for number in store.whole():
        manifest = store.manifest(number)
        for name, model in manifest.models.items():
            if model.parity is not None:
                found[manifest.files[f"{name}/1/model.onnx"].sha256] = model.parity
    return found


def _versions() -> dict[str, str]:
    installed = {distribution.name for distribution in distributions()}
    return {tool: version(tool) for tool in _TOOLS if tool in installed}

"""What a release says of itself: its files, where they come from, what they need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from export.digests import sha256_of, sha256_of_file
from ocr_base.triton import READER
from releases.errors import ReleaseError

MANIFEST = "manifest.json"
MODELS = "models"


class FileRecord(BaseModel):
    """One file."""

    sha256: str
    size: int


class Parity(BaseModel):
    """How a model answers beside the published one: see `export.parity.Comparison`."""

    reference: str
    inputs: int
    same: int
    difference: float
    tolerance: float


class ModelRecord(BaseModel):
    """Where one model comes from, and its proof."""

    task: str
    source: str
    source_sha256: str
    file: str
    licence: str
    alphabet: str | None
    parity: Parity | None


class Manifest(BaseModel):
    """All that is known of a release when it is staged; `files` are below the folder `models`.

    Attributes:
        steps: Its models that are Python; both, where a manifest is from before it named them.
    """

    model_config = ConfigDict(frozen=True)

    format: int = 1
    content: str
    created_at: str
    device: str
    precision: str
    strategies: list[str]
    models: dict[str, ModelRecord]
    steps: list[str] = ["image_decoding", READER]
    files: dict[str, FileRecord]
    tools: dict[str, str]
    needs: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files.values())


def content_of(files: Mapping[str, FileRecord]) -> str:
    """Return the digest that two releases share when all their files are equal."""
    told = {name: file.sha256 for name, file in sorted(files.items())}
    return sha256_of(json.dumps(told).encode())


def record(file: Path) -> FileRecord:
    """Return a file's digest and size."""
    return FileRecord(sha256=sha256_of_file(file), size=file.stat().st_size)


def read_manifest(folder: Path) -> Manifest:
    """Return a release's manifest.

    Raises:
        ReleaseError: It is missing or cannot be read.
    """
    file = folder / MANIFEST
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise ReleaseError(
            f"{file} is not a readable manifest; `releases stage` makes another release, "
            "`releases prune` deletes this one"
        ) from error

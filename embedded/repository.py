"""What Triton is started with: the public models and those of the releases that they lead to.

Only Python's own library is used: containers of Triton have no other.
"""

import errno
import json
import os
import re
from pathlib import Path

from ocr_base.triton import (
    CONFIG,
    MODEL_VERSION,
    PUBLIC,
    READER,
    RELEASES,
    Releases,
    release_of,
    served_name,
)

_INSTALL = (
    "Run `python -m releases install`, or set MODEL_REPOSITORY to a folder that has the models."
)
_ENGINE_FOLDER = re.compile(r'key: "trt_(?:engine|timing)_cache_path"\s+value: "([^"\\]+)"')
_RELEASES = re.compile(rf'key: "{RELEASES}"\s+value \{{\s+string_value: ("(?:[^"\\]|\\.)*")')


class ModelsMissingError(Exception):
    """The repository cannot be served; the text says why and what to do."""


def models_to_load(repository: Path) -> list[str]:
    """Return every model that Triton loads at its start, sorted.

    These are the public names, and all of the live release, of the one before it, to which the
    way back stays short, and of a canary. A candidate whose gate was cut off is left out.

    Raises:
        ModelsMissingError: The text names each missing file.
    """
    folders = [config.parent for config in repository.glob(f"[!.]*/{CONFIG}")]
    if not folders:
        raise ModelsMissingError(f"There are no models in {repository}. {_INSTALL}")
    releases = _releases(repository)
    names = [path.name for path in folders if release_of(path.name) in (None, *releases)]
    missing = [str(path) for name in names for path in _missing(repository / name)]
    if releases and (reader := served_name(READER, releases[0])) not in names:
        missing.append(f"{reader}/{CONFIG}")
    if missing:
        lacking = ", ".join(missing)
        raise ModelsMissingError(f"{repository} is incomplete, it lacks {lacking}. {_INSTALL}")
    return sorted(names)


def make_engine_folders(repository: Path, names: list[str]) -> None:
    """Make the folders in which TensorRT keeps the engines of these models.

    ONNX Runtime would make the last level of each alone.

    Raises:
        ModelsMissingError: Such a folder cannot be made or written.
    """
    for name in names:
        text = (repository / name / CONFIG).read_text(encoding="utf-8")
        for folder in _ENGINE_FOLDER.findall(text):
            _make_engine_folder(Path(folder), name)


def _make_engine_folder(folder: Path, name: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise ModelsMissingError(
            f"{name} keeps its TensorRT engines in {folder}, which cannot be written: "
            f"{error.strerror}. Stage it with --engine-cache, or ENGINE_CACHE, set to a folder "
            "that Triton may write."
        ) from error


def _releases(repository: Path) -> tuple[int, ...]:
    """Return the releases that are served, the live one first; none where only others are."""
    config = repository / PUBLIC / CONFIG
    if not config.is_file():
        return ()
    match = _RELEASES.search(config.read_text(encoding="utf-8"))
    if match is None:
        raise ModelsMissingError(f"{config} does not say which release is live. {_INSTALL}")
    # Protobuf's text format escapes as JSON does, as far as JSON's own text needs it.
    return Releases.from_json(json.loads(match[1])).served


def _missing(model: Path) -> list[Path]:
    configuration = (model / CONFIG).read_text(encoding="utf-8")
    if not re.search(r'^\s*backend:\s*"onnxruntime"', configuration, re.MULTILINE):
        return []
    if any(model.glob("[0-9]*/*.onnx")):
        return []
    return [Path(model.name) / MODEL_VERSION / "model.onnx"]

"""What Triton is started with: the public models and those of the releases that they lead to.

Only Python's own library is used: containers of Triton run this file alone.
"""

import json
import re
import sys
from pathlib import Path

_CONFIG = "config.pbtxt"
_INSTALL = (
    "Run `python -m export install`, or set MODEL_REPOSITORY to a folder that has the models."
)
#: The parameter of the public `ocr` in which `python -m export release` notes what is live.
_RELEASES = re.compile(r'key: "releases"\s+value \{\s+string_value: ("(?:[^"\\]|\\.)*")')


class ModelsMissingError(Exception):
    """The repository cannot be served; the text says why and what to do."""


def models_to_load(repository: Path) -> list[str]:
    """Return every model that Triton loads at its start, sorted.

    These are the public names, and all of the live release, of the one before it, to which the
    way back stays short, and of a canary. A candidate whose gate was cut off is left out.

    Raises:
        ModelsMissingError: The text names each missing file.
    """
    folders = [config.parent for config in repository.glob(f"[!.]*/{_CONFIG}")]
    if not folders:
        raise ModelsMissingError(f"There are no models in {repository}. {_INSTALL}")
    releases = _releases(repository)
    names = [path.name for path in folders if _release_of(path.name) in (None, *releases)]
    missing = [str(path) for name in names for path in _missing(repository / name)]
    if releases and f"page_reading_r{releases[0]}" not in names:
        missing.append(f"page_reading_r{releases[0]}/{_CONFIG}")
    if missing:
        lacking = ", ".join(missing)
        raise ModelsMissingError(f"{repository} is incomplete, it lacks {lacking}. {_INSTALL}")
    return sorted(names)


def _releases(repository: Path) -> list[int]:
    """Return the releases that are served, the live one first; none where only others are."""
    config = repository / "ocr" / _CONFIG
    if not config.is_file():
        return []
    match = _RELEASES.search(config.read_text(encoding="utf-8"))
    if match is None:
        raise ModelsMissingError(f"{config} does not say which release is live. {_INSTALL}")
    # Protobuf's text format escapes as JSON does, as far as JSON's own text needs it.
    told = json.loads(json.loads(match[1]))
    canary = told["canary"]["release"] if told["canary"] else None
    return [n for n in (told["live"], told["previous"], canary) if n is not None]


def _release_of(name: str) -> int | None:
    match = re.fullmatch(r".+_r([1-9]\d*)", name)
    return int(match[1]) if match else None


def _missing(model: Path) -> list[Path]:
    configuration = (model / _CONFIG).read_text(encoding="utf-8")
    if not re.search(r'^\s*backend:\s*"onnxruntime"', configuration, re.MULTILINE):
        return []
    if any(model.glob("[0-9]*/*.onnx")):
        return []
    return [Path(model.name) / "1" / "model.onnx"]


if __name__ == "__main__":
    try:
        sys.stdout.writelines(f"--load-model={n}\n" for n in models_to_load(Path(sys.argv[1])))
    except ModelsMissingError as error:
        sys.exit(str(error))

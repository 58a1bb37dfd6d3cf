"""What must be in a model repository before Triton is worth starting."""

import re
from pathlib import Path

from embedded.errors import ModelMissingError

_INSTALL = (
    "Run `python -m export install`, or set MODEL_REPOSITORY to a folder that has the models."
)


def model_names(repository: Path) -> list[str]:
    """Return the name of every model folder, sorted."""
    return sorted(path.name for path in repository.iterdir() if path.is_dir())


def require_models(repository: Path) -> None:
    """Make sure that every model has its configuration, and every ONNX model its file.

    Raises:
        ModelMissingError: The text names each missing file.
    """
    if not repository.is_dir() or not model_names(repository):
        raise ModelMissingError(f"There are no models in {repository}. {_INSTALL}")
    missing = [path for name in model_names(repository) for path in _missing(repository / name)]
    if missing:
        listed = ", ".join(str(path.relative_to(repository)) for path in missing)
        raise ModelMissingError(f"{repository} is incomplete, it lacks {listed}. {_INSTALL}")


def _missing(model: Path) -> list[Path]:
    configuration = model / "config.pbtxt"
    if not configuration.exists():
        return [configuration]
    if not re.search(r'^\s*backend:\s*"onnxruntime"', configuration.read_text(), re.MULTILINE):
        return []
    if any(model.glob("[0-9]*/*.onnx")):
        return []
    return [model / "1" / "model.onnx"]

"""Packages, and the models that Triton loads."""

import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from ocr_cli.doctor.check import Check, passed_or
from ocr_cli.serve import INSTALL

_STACK = ("nvidia-pytriton", "openvino")
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")


def check_software(settings: Mapping[str, str]) -> list[Check]:
    """A row for what is installed, and one for the models."""
    return [check_packages(), check_models(_model_repository(settings))]


def check_packages() -> Check:
    """Whether the packages of the local stack are there."""
    versions = {name: _version(name) for name in (*_STACK, *_RUNTIMES, "numpy")}
    found = ", ".join(f"{name} {number}" for name, number in versions.items() if number)
    missing = [name for name in _STACK if not versions[name]]
    if not any(versions[name] for name in _RUNTIMES):
        missing.append("onnxruntime")
    if (versions["numpy"] or "2") >= "2":
        missing.append("numpy<2")
    shown = f"missing: {', '.join(missing)}" if missing else found
    return passed_or(not missing, "packages", shown, ("fail", INSTALL))


def check_models(repository: Path) -> Check:
    """Whether every model has its configuration, and every ONNX model its file."""
    folders = sorted(path for path in repository.glob("[!.]*") if path.is_dir())
    broken = [folder.name for folder in folders if not _is_complete(folder)]
    if not folders:
        found = f"no models in {repository}"
    elif broken:
        found = f"incomplete in {repository}: {', '.join(broken)}"
    else:
        found = f"{len(folders)} in {repository}"
    remedy = "make models (or set MODEL_REPOSITORY to a folder that has them)"
    return passed_or(bool(folders) and not broken, "models", found, ("fail", remedy))


def _is_complete(model: Path) -> bool:
    configuration = model / "config.pbtxt"
    if not configuration.exists():
        return False
    is_onnx = re.search(r'^\s*backend:\s*"onnxruntime"', configuration.read_text(), re.MULTILINE)
    return not is_onnx or any(model.glob("[0-9]*/*.onnx"))


def _model_repository(settings: Mapping[str, str]) -> Path:
    if named := settings.get("MODEL_REPOSITORY"):
        return Path(named)
    stack = find_spec("embedded")
    checkout = Path(stack.origin).parents[1] if stack and stack.origin else Path()
    return checkout / "model_repository"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

"""The build backend of a checkout, which is installed where it stands; there is no wheel of it."""

from importlib import import_module
from typing import Any, NoReturn

_REFUSAL = (
    "The OCR server is a checkout or its containers: a wheel would hold no models and none of the "
    "steps that Triton runs. `make serve` and `make up` start it; `make setup` brings the command "
    "`.venv/bin/ocr` (docs/decisions/0009-what-is-distributed.md)."
)


def build_wheel(*_: object, **__: object) -> NoReturn:
    """Refuse, and say how the server is had."""
    raise SystemExit(_REFUSAL)


def build_sdist(*_: object, **__: object) -> NoReturn:
    """Refuse, and say how the server is had."""
    raise SystemExit(_REFUSAL)


def __getattr__(name: str) -> Any:
    """The other hooks, those of an editable install, are setuptools' own."""
    return getattr(import_module("setuptools.build_meta"), name)

"""What is written from the code into the checkout: `make docs` writes it, a test compares."""

import json
from collections.abc import Callable
from pathlib import Path

from pydantic_settings import BaseSettings

from embedded.settings import Settings as StackSettings
from export.repository_page import repository_page
from export.tables import read_spec
from ocr_base.places import CHECKOUT
from preprocess_service.settings import Settings as ServiceSettings
from preprocess_service.wiring import make_app, make_engine
from releases.settings import Settings as ReleasesSettings

_TABLES: dict[str, type[BaseSettings]] = {
    "Front service": ServiceSettings,
    "Local stack, beside those of the service": StackSettings,
    "Releases, beside those of both": ReleasesSettings,
}


def env_example() -> str:
    """Every setting with its default, commented out, each name once."""
    parts = [
        "# Written by `make docs`. Settings of all programs with their defaults: copy what is to\n"
        "# differ into `.env`, without its #. docs/configuration.md says more.\n"
    ]
    told: set[str] = set()
    for title, table in _TABLES.items():
        fields = {name: f for name, f in table.model_fields.items() if name not in told}
        settings = [
            f"# {field.description}\n#{name.upper()}={_value(field.default)}\n"
            for name, field in fields.items()
        ]
        parts += [f"# ---- {title} ----\n", *settings]
        told |= {*fields}
    return "\n".join(parts)


def _value(default: object) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, Path) and default.is_relative_to(CHECKOUT):
        return str(default.relative_to(CHECKOUT))
    return f"{default:g}" if isinstance(default, float) else str(default)


def openapi() -> str:
    """The interface as the service tells it at `/openapi.json`."""
    settings = ServiceSettings.model_construct()  # whatever the environment says
    document = make_app(settings, make_engine(settings)).openapi()
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    ".env.example": env_example,
    "docs/openapi.json": openapi,
    "model_repository/README.md": lambda: repository_page(read_spec()),
}

if __name__ == "__main__":
    for name, text in GENERATED.items():
        (CHECKOUT / name).write_text(text(), encoding="utf-8")

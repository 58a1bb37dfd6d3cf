"""TOML tables, read and checked; one table of models may extend another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from export.errors import SpecError
from export.spec import Spec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MODELS_TOML = Path(__file__).with_name("models.toml")
#: A table that extends another replaces these whole, and all others number by number.
_WHOLE = ("sources", "models", "alphabets")


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's table, or raise SpecError naming the file."""
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecError(f"{path} cannot be read: {error}") from error
    return table


def read_table(path: Path) -> dict[str, Any]:
    """Return the table of models.toml or of one that `extends` another, `without` some models."""
    table = read_toml(path)
    base, without = table.pop("extends", None), table.pop("without", [])
    if base is None:
        return table
    merged = _merge(read_table(path.parent / base), table)
    merged["models"] = {k: v for k, v in merged["models"].items() if k not in without}
    return merged


def _merge(base: dict[str, Any], changes: dict[str, Any], *, whole: bool = False) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        old = base.get(name)
        if isinstance(value, dict) and isinstance(old, dict) and not whole:
            merged[name] = _merge(old, value, whole=name in _WHOLE)
        else:
            merged[name] = value
    return merged


def read_spec(path: Path = MODELS_TOML) -> Spec:
    """Return the checked table.

    Raises:
        SpecError: With one line for each unknown, missing or ill-typed key.
    """
    try:
        return TypeAdapter(Spec).validate_python(read_table(path))
    except ValidationError as error:
        lines = (f"  {'.'.join(map(str, e['loc'])) or 'table'}: {e['msg']}" for e in error.errors())
        raise SpecError("\n".join((f"{path} is not a valid models table:", *lines))) from error

"""Which documents the names on the command line mean."""

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ocr_base.formats import EXTENSIONS, SUFFIXES
from ocr_cli.errors import UsageError


@dataclass(frozen=True)
class Input:
    """A document, and where in an output folder its result belongs."""

    path: Path
    relative: Path


def find_inputs(names: Iterable[str]) -> list[Input]:
    """The files, those in folders, and those that patterns match, each once, in that order.

    Raises:
        UsageError: A name means nothing, or a folder holds no document.
    """
    found: dict[Path, Input] = {}
    for name in names:
        matches = list(_expand(name))
        if not matches:
            raise UsageError(f"{name}: no such file, and no folder or pattern with documents.")
        for match in matches:
            found.setdefault(match.path.resolve(), match)
    return list(found.values())


def _expand(name: str) -> Iterator[Input]:
    path = Path(name)
    if path.is_file():
        yield Input(path, Path(path.name))
    elif path.is_dir():
        yield from _documents_in(path)
    elif glob.has_magic(name):
        for match in sorted(glob.glob(name, recursive=True)):  # noqa: PTH207 - may be absolute
            yield from _expand(match)


def _documents_in(folder: Path) -> Iterator[Input]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in relative.parts)
        # The searchable PDFs of an earlier run are no documents of this one.
        is_result = path.name.endswith(EXTENSIONS["pdf"])
        if path.is_file() and path.suffix.lower() in SUFFIXES and not (is_hidden or is_result):
            yield Input(path, relative)

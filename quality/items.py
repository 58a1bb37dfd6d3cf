"""The labelled pages of a benchmark folder, read from its ``manifest.json``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Box = tuple[float, float, float, float]


class ManifestError(Exception):
    """The folder has no readable manifest, or an entry or a file is missing in it."""


@dataclass(frozen=True)
class Item:
    """One labelled page; boxes are ``x0, y0, x1, y1`` in its ``width`` by ``height`` frame.

    The frame is the page as a reader sees it: EXIF orientation and PDF rotation applied.
    """

    item_id: str
    path: Path
    page_number: int
    kind: str
    language: str
    width: float
    height: float
    full_text: str
    ignores_case: bool
    has_reliable_spaces: bool
    ignored_boxes: tuple[Box, ...]
    measures: frozenset[str]

    @property
    def is_pdf(self) -> bool:
        """Whether the page lies in a PDF (else the file is an image)."""
        return self.path.suffix.lower() == ".pdf"


def load_items(folder: Path) -> list[Item]:
    """Return the folder's pages in the order of its manifest.

    Raises:
        ManifestError: The manifest or a file that it names cannot be read.
    """
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise ManifestError(f"{folder} is no folder of labelled pages: it has no manifest.json")
    try:
        entries = json.loads(manifest.read_text(encoding="utf-8"))
        items = [_read_entry(entry, folder) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ManifestError(f"{manifest} is not a readable manifest: {exc!r}") from exc
    if missing := sorted({item.path.name for item in items if not item.path.is_file()}):
        raise ManifestError(f"{manifest} names files that are missing: {', '.join(missing)}")
    return items


def _read_entry(entry: Mapping[str, Any], folder: Path) -> Item:
    return Item(
        item_id=entry["id"],
        path=folder / entry["file"],
        page_number=entry["page"],
        kind=entry["kind"],
        language=entry["language"],
        width=entry["width"],
        height=entry["height"],
        full_text=entry["full_text"],
        ignores_case=entry.get("case") == "upper",
        has_reliable_spaces=entry.get("space_reliable", True),
        ignored_boxes=_read_ignored_boxes(entry),
        measures=frozenset(entry["use_for"]),
    )


def _read_ignored_boxes(entry: Mapping[str, Any]) -> tuple[Box, ...]:
    ignored_words = [word for word in entry.get("words") or () if word.get("ignore")]
    regions = [*(entry.get("ignore_regions") or ()), *ignored_words]
    return tuple(_read_box(region) for region in regions)


def _read_box(region: Mapping[str, Any] | Sequence[float]) -> Box:
    x0, y0, x1, y1 = region["box"] if isinstance(region, Mapping) else region
    return (x0, y0, x1, y1)

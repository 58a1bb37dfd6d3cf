"""Golden pages: labelled, drawn by code or a user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import numpy.typing as npt
import pymupdf

from ocr_base.reading import PAGE_DPI
from quality.drawn.folder import draw_folder
from quality.items import Item, ManifestError, load_items
from releases.errors import ReleaseError

Image = npt.NDArray[np.uint8]
# Of the benchmark's pages: each tells what the others do not.
_DRAWN = (
    "letter_en.png", "receipt_en.jpg", "report_faded_en.jpg", "scan_skew_en.pdf",
    "invoice_turned_en.png", "rights_de.png", "rights_fr.png", "rights_zh.png", "rights_ja.png",
)  # fmt: skip


@dataclass(frozen=True)
class GoldenPage:
    """A page's pixels, RGB, and its truth."""

    item: Item
    pixels: Image


def golden_pages(folder: Path | None) -> list[GoldenPage]:
    """Return the pages of a folder with a `manifest.json`, as `bench` takes it; else drawn ones.

    Raises:
        ReleaseError: The folder has no labelled page.
    """
    if folder is None:
        with TemporaryDirectory() as drawn:
            return _read(draw_folder(Path(drawn), _DRAWN))
    return _read(folder)


def _read(folder: Path) -> list[GoldenPage]:
    try:
        items = [item for item in load_items(folder) if "text_bag" in item.measures]
    except ManifestError as error:
        raise ReleaseError(f"--pages: {error}") from error
    if not items:
        raise ReleaseError(f"--pages: no page of {folder} has the measure text_bag")
    return [GoldenPage(item, _pixels(item)) for item in items]


def _pixels(item: Item) -> Image:
    if item.is_pdf:
        with pymupdf.open(item.path) as document:
            page = document[item.page_number - 1]
            drawn = page.get_pixmap(dpi=PAGE_DPI, colorspace=pymupdf.csRGB, alpha=False)
            flat = np.frombuffer(drawn.samples, np.uint8)
            return flat.reshape(drawn.height, drawn.width, 3).copy()
    _, pages = cv2.imreadmulti(str(item.path), flags=cv2.IMREAD_COLOR)
    if len(pages) < item.page_number:
        raise ReleaseError(f"--pages: {item.path} cannot be read")
    return np.ascontiguousarray(pages[item.page_number - 1][..., ::-1], np.uint8)

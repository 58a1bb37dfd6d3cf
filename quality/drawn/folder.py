"""A folder of drawn pages with its manifest."""

import json
from collections.abc import Callable, Container
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
from PIL import Image as PillowImage

from quality.drawn import degradations, layouts
from quality.drawn.degradations import Degradation, Image, Matrix
from quality.drawn.texts import WITHOUT_SPACES

Layout = Callable[[], pymupdf.Document]


@dataclass(frozen=True)
class Sheet:
    """One file of a single page: what stands on it, and what happened to it.

    A PDF without a degradation keeps its text; with one it holds nothing but the image.
    """

    file: str
    kind: str
    language: str
    lay_out: Layout
    degrade: Degradation | None = None
    dpi: int = 120
    has_trusted_order: bool = True


def _rights(language: str) -> Layout:
    return lambda: layouts.lay_out_rights(language)


SHEETS = (
    Sheet("letter_en.png", "page", "en", layouts.lay_out_letter),
    Sheet("report_en.png", "page", "en", layouts.lay_out_report),
    Sheet("receipt_en.jpg", "receipt", "en", layouts.lay_out_receipt, has_trusted_order=False),
    Sheet("invoice_en.pdf", "pdf", "en", layouts.lay_out_invoice, has_trusted_order=False),
    Sheet("scan_skew_en.pdf", "pdf", "en", layouts.lay_out_letter, degradations.skew, 150),
    Sheet("report_faded_en.jpg", "page", "en", layouts.lay_out_report, degradations.fade),
    Sheet("letter_fax_en.tif", "scan", "en", layouts.lay_out_letter, degradations.fax, 200),
    Sheet("letter_inverted_en.png", "page", "en", layouts.lay_out_letter, degradations.invert),
    Sheet("invoice_turned_en.png", "page", "en", layouts.lay_out_invoice, degradations.turn, 120,
          has_trusted_order=False),
    *(
        Sheet(f"rights_{language}.png", "page", language, _rights(language))
        for language in ("de", "fr", "es", "ru", "zh", "ja")
    ),
)  # fmt: skip


def draw_folder(folder: Path, files: Container[str] | None = None) -> Path:
    """Draw the sheets of these names (None: all) and their manifest; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    sheets = [sheet for sheet in SHEETS if files is None or sheet.file in files]
    entries = [draw_sheet(sheet, folder) for sheet in sheets]
    manifest = json.dumps(entries, ensure_ascii=False, indent=1)
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")
    return folder


def draw_sheet(sheet: Sheet, folder: Path) -> dict[str, Any]:
    """Write the sheet's file; returns its entry for the manifest."""
    with sheet.lay_out() as document:
        page = document[0]
        image, matrix = (sheet.degrade or degradations.keep)(_render(page, sheet.dpi))
        lines = [_line_entry(line, matrix, sheet.dpi) for line in read_lines(page)]
        _save(sheet, document, image, folder / sheet.file)
    height, width = image.shape[:2]
    return {
        "id": Path(sheet.file).stem,
        "file": sheet.file,
        "page": 1,
        "pages_in_file": 1,
        "kind": sheet.kind,
        "language": sheet.language,
        "width": width,
        "height": height,
        "dpi": sheet.dpi,
        "lines": lines,
        "full_text": "\n".join(line["text"] for line in lines),
        "case": "exact",
        "space_reliable": sheet.language not in WITHOUT_SPACES,
        "use_for": ["text_bag", "det_line", *(["cer"] if sheet.has_trusted_order else [])],
    }


def read_lines(page: pymupdf.Page) -> list[tuple[str, pymupdf.Rect]]:
    """Return the lines that were laid out, in the order they were, boxes in points."""
    lines = [line for block in page.get_text("dict")["blocks"] for line in block["lines"]]
    texts = ["".join(span["text"] for span in line["spans"]).strip() for line in lines]
    boxes = [pymupdf.Rect(line["bbox"]) for line in lines]
    return [(text, box) for text, box in zip(texts, boxes, strict=True) if text]


def _line_entry(line: tuple[str, pymupdf.Rect], matrix: Matrix, dpi: int) -> dict[str, Any]:
    text, box = line
    corners = np.array([[*corner, 1.0] for corner in (box.tl, box.tr, box.br, box.bl)])
    moved = (corners * [dpi / 72, dpi / 72, 1.0]) @ matrix.T
    (x0, y0), (x1, y1) = moved.min(axis=0).round(1), moved.max(axis=0).round(1)
    return {"text": text, "box": [float(x0), float(y0), float(x1), float(y1)]}


def _render(page: pymupdf.Page, dpi: int) -> Image:
    pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csRGB)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)


def _save(sheet: Sheet, document: pymupdf.Document, image: Image, path: Path) -> None:
    picture = PillowImage.fromarray(image)
    match path.suffix:
        case ".pdf" if sheet.degrade is None:
            document.save(path)
        case ".pdf":
            _save_image_pdf(picture, document[0].rect, path)
        case ".tif":
            picture.convert("1").save(path, compression="group4", dpi=(sheet.dpi, sheet.dpi))
        case ".jpg":
            picture.save(path, quality=70, dpi=(sheet.dpi, sheet.dpi))
        case _:
            picture.save(path, dpi=(sheet.dpi, sheet.dpi))


def _save_image_pdf(picture: PillowImage.Image, size: pymupdf.Rect, path: Path) -> None:
    encoded = BytesIO()
    picture.convert("L").save(encoded, "JPEG", quality=75)
    with pymupdf.open() as document:
        page = document.new_page(width=size.width, height=size.height)
        page.insert_image(page.rect, stream=encoded.getvalue())
        document.save(path)

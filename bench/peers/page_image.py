"""Pages as every peer gets them."""

from pathlib import Path

import numpy as np
import pymupdf
from PIL import Image, ImageOps

from bench.peers.peer import RgbPage
from ocr_base.reading import PAGE_DPI


def load_page(path: Path, page_number: int) -> RgbPage:
    """Return a page of an image or a PDF, upright by its EXIF tag or its /Rotate entry."""
    if path.suffix.lower() == ".pdf":
        return _render_pdf_page(path, page_number)
    with Image.open(path) as image:
        image.seek(page_number - 1)
        return np.ascontiguousarray(ImageOps.exif_transpose(image).convert("RGB"))


def _render_pdf_page(path: Path, page_number: int) -> RgbPage:
    with pymupdf.open(path) as document:
        pixmap = document[page_number - 1].get_pixmap(dpi=PAGE_DPI, colorspace=pymupdf.csRGB)
        pixels = np.frombuffer(pixmap.samples, np.uint8)
        return np.ascontiguousarray(pixels.reshape(pixmap.height, pixmap.width, 3))

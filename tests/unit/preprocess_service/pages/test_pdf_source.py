"""What a page of a PDF becomes: gray where nothing on it has color."""

import io
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from preprocess_service.pages.pdf_source import PdfSource
from preprocess_service.pages.source import RasterRequest


def scan(mode: str) -> pymupdf.Document:
    image = Image.new(mode, (200, 100), "white")
    image.paste(0 if mode != "RGB" else (200, 0, 0), (0, 0, 100, 50))
    buffer = io.BytesIO()
    image.save(buffer, "PDF", resolution=72)
    return pymupdf.open(stream=buffer.getvalue(), filetype="pdf")


def draw(pdf: pymupdf.Document, folder: Path) -> np.ndarray:
    path = folder / "page.pdf"
    pdf.save(path)
    request = RasterRequest("d", "application/pdf", 72, max_pages=1, max_pixels=10**6)
    return PdfSource(path, request).render(0).pixels


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("L", 1), ("RGB", 3)])
def test_a_scan_without_color_is_drawn_gray(mode: str, channels: int, tmp_path: Path) -> None:
    pixels = draw(scan(mode), tmp_path)
    assert pixels.shape == (100, 200, channels)
    assert pixels[10, 10, -1] < 10
    assert pixels[90, 190, -1] == 255


def test_a_scan_with_a_hidden_text_layer_is_still_gray(tmp_path: Path) -> None:
    pdf = scan("L")
    pdf[0].insert_text((10, 50), "hidden", render_mode=3)
    assert draw(pdf, tmp_path).shape[2] == 1


def test_what_is_drawn_over_a_gray_scan_may_have_color(tmp_path: Path) -> None:
    pdf = scan("L")
    pdf[0].insert_text((10, 80), "red", color=(1, 0, 0))
    assert draw(pdf, tmp_path).shape[2] == 3


def test_an_annotation_may_have_color(tmp_path: Path) -> None:
    pdf = scan("L")
    pdf[0].add_rect_annot(pymupdf.Rect(120, 60, 180, 90)).set_colors(stroke=(1, 0, 0))
    assert draw(pdf, tmp_path).shape[2] == 3


def test_born_digital_pages_keep_their_color(tmp_path: Path) -> None:
    pdf = pymupdf.open()
    pdf.new_page(width=200, height=100).insert_text((10, 50), "text", color=(0, 0, 1))
    assert draw(pdf, tmp_path).shape[2] == 3

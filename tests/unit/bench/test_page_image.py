"""Pages as the peers get them."""

import numpy as np
import pymupdf
from PIL import Image

from bench.peers.page_image import load_page


def test_exif_orientation_is_applied(tmp_path):
    image = Image.new("RGB", (40, 20), "white")
    image.paste("black", (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown a quarter turn clockwise
    image.save(tmp_path / "a.png", exif=exif)
    page = load_page(tmp_path / "a.png", 1)
    assert page.shape == (40, 20, 3)
    assert page[:10].max() == 0
    assert page[10:].min() == 255


def test_black_and_white_tiff_page_becomes_rgb(tmp_path):
    first, second = Image.new("1", (8, 8), 1), Image.new("1", (16, 8), 0)
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    page = load_page(tmp_path / "a.tif", 2)
    assert page.shape == (8, 16, 3)
    assert page.dtype == np.uint8
    assert page.max() == 0


def test_pdf_page_is_drawn_upright_at_120_dpi(tmp_path):
    with pymupdf.open() as document:
        document.new_page(width=72, height=72)
        document.new_page(width=144, height=72).set_rotation(90)
        document.save(tmp_path / "a.pdf")
    assert load_page(tmp_path / "a.pdf", 1).shape == (120, 120, 3)
    assert load_page(tmp_path / "a.pdf", 2).shape == (240, 120, 3)

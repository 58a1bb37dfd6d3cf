from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pymupdf
import pytest

from export.errors import ExportError
from export.samples import drawn_pages, fit_crop, line_crops, read_pages


def test_drawn_pages_suit_the_detector_and_show_ink() -> None:
    for page in drawn_pages():
        assert page.shape[0] % 32 == 0
        assert page.shape[1] % 32 == 0
        assert (page < 64).mean() > 0.003
        assert (page.min(axis=2) > 230).mean() > 0.8


def test_drawn_pages_are_colored_so_that_exchanged_channels_show() -> None:
    for page in drawn_pages():
        red, blue = page[..., 0].astype(int), page[..., 2].astype(int)
        assert ((red - blue) > 60).mean() > 0.001
        assert ((blue - red) > 60).mean() > 0.001


def test_a_users_images_and_pdfs_are_read_at_one_size(tmp_path: Path) -> None:
    red = np.zeros((50, 100, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / "a.png"), red)
    with pymupdf.open() as document:
        document.new_page(width=300, height=600)
        document.save(tmp_path / "b.pdf")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG broken")
    image, pdf = read_pages(tmp_path, 320)
    assert image.shape == (160, 320, 3)
    assert tuple(image[10, 10]) == (255, 0, 0)
    assert pdf.shape == (320, 160, 3)


def test_a_folder_without_pages_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="holds no image"):
        read_pages(tmp_path, 320)
    with pytest.raises(ExportError, match="is not a folder"):
        read_pages(tmp_path / "none", 320)


def test_lines_are_cut_where_the_map_shows_them() -> None:
    page = np.zeros((100, 200, 3), np.uint8)
    probability = np.zeros((100, 200), np.float32)
    probability[20:30, 50:150] = 0.9
    probability[60:90, 10:14] = 0.9  # upright: not a line to read
    (crop,) = line_crops(page, probability, 0.2)
    assert crop.shape == (18, 108, 3)


@pytest.mark.parametrize(("width", "bucket", "filled"), [(100, 256, 200), (300, 400, 400)])
def test_a_crop_is_padded_to_its_bucket_or_squeezed_into_the_last(
    width: int, bucket: int, filled: int
) -> None:
    crop = fit_crop(np.zeros((24, width, 3), np.uint8), 48, [64, 256, 400], 127)
    assert crop.shape == (48, bucket, 3)
    assert (crop[:, :filled] == 0).all()
    assert (crop[:, filled:] == 127).all()

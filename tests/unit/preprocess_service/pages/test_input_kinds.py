"""Every kind of image that is promised, drawn by code: the left half dark, the right half light."""

import os

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from preprocess_service.pages.media_types import HEAD_BYTES, sniff_media_type
from preprocess_service.pages.source import RasterRequest
from preprocess_service.reading.rasterizer_process import RasterizerProgram
from preprocess_service.sandbox import channel

WIDTH, HEIGHT = 64, 32


def _half_dark(dark=40, light=220):
    values = np.full((HEIGHT, WIDTH), light, np.uint8)
    values[:, : WIDTH // 2] = dark
    return Image.fromarray(values)


def _read(file):
    """All pages of a file, the way the service reads them."""
    media_type = sniff_media_type(os.pread(file.fileno(), HEAD_BYTES, 0))
    request = RasterRequest("a", media_type, 120, max_pages=10, max_pixels=10**6)
    rasterizer, pages = RasterizerProgram(), []
    body, fd = rasterizer.inspect(request, file.fileno())
    os.close(fd)
    for index in range(body["page_count"]):
        body, fd = rasterizer.render(request, file.fileno(), index)
        pages.append(channel.map_array(fd, tuple(body["shape"]), np.uint8))
        os.close(fd)
    return pages


def _assert_halves(pixels, dark=40, light=220, tolerance=12):
    assert pixels.shape[:2] == (HEIGHT, WIDTH)
    assert np.abs(pixels[:, 4:28].astype(int) - dark).max() <= tolerance
    assert np.abs(pixels[:, 36:60].astype(int) - light).max() <= tolerance


@pytest.mark.parametrize(
    ("image_format", "mode", "save"),
    [
        ("PNG", "RGB", {}),
        ("PNG", "P", {}),
        ("PNG", "LA", {}),
        ("JPEG", "L", {"progressive": True}),
        ("JPEG", "RGB", {"quality": 95}),
        ("JPEG", "CMYK", {"quality": 95}),
        ("BMP", "RGB", {}),
        ("BMP", "P", {}),
        ("TIFF", "CMYK", {}),
        ("TIFF", "RGBA", {"compression": "tiff_lzw"}),
        ("TIFF", "L", {"compression": "jpeg"}),
        ("TIFF", "YCbCr", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"lossless": True}),
        ("GIF", "P", {}),
        ("JPEG2000", "RGB", {}),
        ("JPEG2000", "L", {"no_jp2": True}),
        ("JPEG2000", "RGBA", {}),
        ("HEIF", "RGB", {"quality": 95}),
        ("HEIF", "RGBA", {"quality": 95}),
    ],
)
def test_every_format_and_mode_is_seen_as_it_looks(as_file, image_format, mode, save):
    file = as_file(b"")
    _half_dark().convert(mode).save(file.name, image_format, **save)
    (pixels,) = _read(file)
    _assert_halves(pixels)


@pytest.mark.parametrize("image_format", ["PNG", "BMP", "TIFF", "GIF"])
def test_one_bit_images_are_black_and_white(as_file, image_format):
    file = as_file(b"")
    save = {"compression": "group4"} if image_format == "TIFF" else {}
    _half_dark(0, 255).convert("1").save(file.name, image_format, **save)
    (pixels,) = _read(file)
    _assert_halves(pixels, 0, 255, 0)


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "JPEG2000"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_scaled_to_8(as_file, image_format, channels):
    values = np.asarray(_half_dark()).astype(np.uint16) * 257
    suffix = {"PNG": ".png", "TIFF": ".tif", "JPEG2000": ".jp2"}[image_format]
    data = cv2.imencode(suffix, np.dstack([values] * channels))[1].tobytes()
    (pixels,) = _read(as_file(data))
    _assert_halves(pixels)


def test_lab_is_seen_in_its_colors(as_file):
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    file = as_file(b"")
    ImageCms.applyTransform(_half_dark().convert("RGB"), to_lab).save(file.name, "TIFF")
    (pixels,) = _read(file)
    _assert_halves(pixels)


@pytest.mark.parametrize("image_format", ["TIFF", "GIF", "WEBP"])
def test_every_frame_is_a_page(as_file, image_format):
    frames = [_half_dark(dark) for dark in (20, 90, 160)]
    file = as_file(b"")
    frames[0].save(
        file.name, image_format, save_all=True, append_images=frames[1:], lossless=True, duration=50
    )
    pages = _read(file)
    assert len(pages) == 3
    for pixels, dark in zip(pages, (20, 90, 160), strict=True):
        _assert_halves(pixels, dark)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_exif_orientation_turns_the_page(as_file, image_format):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned 90 degrees clockwise
    file = as_file(b"")
    # As bytes, pillow_heif writes the turn as HEIF's own property, as telephones do.
    _half_dark().save(file.name, image_format, exif=exif.tobytes())
    (pixels,) = _read(file)
    assert pixels.shape[:2] == (WIDTH, HEIGHT)
    assert pixels[:28].max() < 70 < 190 < pixels[36:].min()

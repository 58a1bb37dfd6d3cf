import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image

from preprocess_service.pages.pixels import exif_orientation, to_pixels

LIES = 6


def _reopened(image: Image.Image, image_format: str, **save: object) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **save)
    return Image.open(io.BytesIO(buffer.getvalue()))


@pytest.mark.parametrize("mode", ["P", "RGB", "RGBA", "LA", "CMYK", "YCbCr"])
def test_modes_with_color_or_transparency_become_rgb(mode):
    pixels = to_pixels(Image.new("L", (5, 3)).convert(mode))
    assert (pixels.shape, pixels.dtype) == ((3, 5, 3), np.uint8)


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "F", "I"])
def test_gray_modes_stay_gray(mode):
    pixels = to_pixels(Image.new("L", (5, 3), 200).convert(mode))
    assert (pixels.shape, pixels.dtype) == ((3, 5, 1), np.uint8)


def test_transparent_parts_are_white():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    assert to_pixels(image).tolist() == [[[255] * 3, [0] * 3]]


def test_transparent_palette_entry_is_white():
    image = Image.new("P", (2, 1), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    reopened = _reopened(image, "PNG", transparency=0)
    assert to_pixels(reopened).tolist() == [[[255] * 3, [40, 50, 60]]]


def test_16_bits_keep_their_full_scale():
    values = np.array([[0, 257, 32768, 65535]], np.uint16)
    image = _reopened(Image.fromarray(values), "PNG")
    assert to_pixels(image)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_16_bit_tiff_with_white_as_zero_is_inverted():
    values = np.array([[0, 65535]], np.uint16)
    image = _reopened(Image.fromarray(values), "TIFF", tiffinfo={262: 0})
    assert to_pixels(image)[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize(
    ("white", "gray"), [(1.0, 0.5), (255.0, 127.5), (65535.0, 32767.5), (9e6, 4.5e6)]
)
def test_floats_are_scaled_to_the_white_they_mean(white, gray):
    image = _reopened(Image.fromarray(np.array([[0, gray, white]], np.float32)), "TIFF")
    assert to_pixels(image)[0, :, 0].tolist() == [0, 128, 255]


def test_float_that_is_no_number_is_black():
    image = Image.fromarray(np.array([[np.nan, 1.0, np.inf]], np.float32))
    assert to_pixels(image)[0, :, 0].tolist() == [0, 255, 0]


def test_exif_orientation_is_applied():
    image = Image.new("RGB", (40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert to_pixels(_reopened(image, "JPEG", exif=exif)).shape == (40, 20, 3)
    assert to_pixels(_reopened(image, "TIFF", exif=exif)).shape == (40, 20, 3)


def turned_png(*, behind: bool) -> bytes:
    """A PNG that says that it lies on its side, before its pixels or behind them."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = LIES
    packed = io.BytesIO()
    Image.new("L", (300, 200)).save(packed, "PNG")
    chunks = packed.getvalue()
    body = exif.tobytes().removeprefix(b"Exif\x00\x00")
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + body))
    place = chunks.index(b"IEND" if behind else b"IDAT") - 4
    return chunks[:place] + chunk + chunks[place:]


@pytest.mark.parametrize("behind", [False, True])
def test_how_a_png_lies_is_told_before_it_is_decoded(behind, monkeypatch):
    with Image.open(io.BytesIO(turned_png(behind=behind))) as image:
        with monkeypatch.context() as patched:
            patched.setattr(type(image), "load", lambda _: pytest.fail("decoded"))
            assert exif_orientation(image) == LIES
        image.load()
        assert exif_orientation(image) == LIES


@pytest.mark.parametrize("cut", [60, 100])
def test_a_png_that_breaks_off_lies_as_it_is(cut):
    data = turned_png(behind=True)
    with Image.open(io.BytesIO(data[:cut])) as image:
        assert exif_orientation(image) == 1

import io

import numpy as np
import pytest
from decode_image import UndecodableImageError, decode_image
from PIL import Image


def encode(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **{"format": "PNG", **options})
    return buffer.getvalue()


def test_rgb_png():
    pixels, scale = decode_image(encode(Image.new("RGB", (3, 2), (10, 20, 30))), 100)
    assert (pixels.shape, scale) == ((2, 3, 3), 1.0)
    assert pixels[0, 0].tolist() == [10, 20, 30]


def test_transparent_parts_become_white():
    assert decode_image(encode(Image.new("RGBA", (2, 2), (0, 0, 0, 0))), 100)[0].min() == 255


def test_sixteen_bit_gray_is_scaled():
    levels = Image.fromarray(np.full((2, 2), 32768, np.uint16))
    assert abs(int(decode_image(encode(levels), 100)[0][0, 0, 0]) - 128) <= 1


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(Image.new("RGB", (4, 2)), format="JPEG", exif=exif)
    assert decode_image(data, 100)[0].shape == (4, 2, 3)


def test_too_many_pixels_are_refused_before_decoding():
    with pytest.raises(UndecodableImageError, match="more than the 99"):
        decode_image(encode(Image.new("1", (10, 10))), 99)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(("limit", "shape", "scale"), [
    (101 * 61, (61, 101), 1.0),
    (101 * 61 - 1, (31, 51), 61 / 31),
    (13 * 8, (8, 13), 61 / 8),
])  # fmt: skip
def test_jpeg_of_more_pixels_is_decoded_smaller(limit, shape, scale, progressive):
    data = encode(Image.new("RGB", (101, 61)), format="JPEG", progressive=progressive)
    pixels, found = decode_image(data, limit)
    assert (pixels.shape[:2], found) == (shape, scale)
    assert pixels.shape[1] * found <= 101


def test_jpeg_too_large_at_an_eighth_is_refused():
    with pytest.raises(UndecodableImageError, match=r"101 by 61 .* more than the 103"):
        decode_image(encode(Image.new("RGB", (101, 61)), format="JPEG"), 103)


@pytest.mark.parametrize("data", [b"", b"not an image", encode(Image.new("RGB", (50, 50)))[:60]])
def test_damaged_bytes_are_refused(data):
    with pytest.raises(UndecodableImageError, match="not a readable image"):
        decode_image(data, 10_000)

"""Images of every color, depth, compression and turn, all with the same two lines."""

import io
import struct
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pillow_heif
from PIL import Image, ImageDraw

from tests.odd_files.odd_file import OddFile, is_read

_ORIENTATION = 0x0112


@cache
def page() -> Image.Image:
    """A light page with dark text."""
    image = Image.new("RGB", (320, 120), (250, 248, 240))
    draw = ImageDraw.Draw(image)
    draw.text((20, 20), "yellow window", fill=(20, 20, 60), font_size=28)
    draw.text((20, 70), "silver garden", fill=(20, 20, 60), font_size=28)
    return image


def save(image: Image.Image, image_format: str, **options: object) -> bytes:
    """The file."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def drawn(image_format: str, mode: str = "RGB", **options: object) -> Callable[[], bytes]:
    """The page in that mode."""
    return lambda: save(page().convert(mode), image_format, **options)


def turned(orientation: int) -> bytes:
    """The page with an EXIF tag that says how to turn it."""
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return save(page(), "JPEG", exif=exif)


def _deep(image_format: str) -> bytes:
    gray = np.asarray(page().convert("L"), np.uint16) * 257
    return save(Image.fromarray(gray), image_format)


def _real_numbers() -> bytes:
    return save(Image.fromarray(np.asarray(page().convert("L"), np.float32) / 255), "TIFF")


def _top_down_bmp() -> bytes:
    """The height is negative where the rows stand from the top."""
    upside_down = page().transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    bmp = bytearray(save(upside_down, "BMP"))
    bmp[22:26] = (-upside_down.height).to_bytes(4, "little", signed=True)
    return bytes(bmp)


def _frames(image_format: str, count: int) -> bytes:
    frames = [page().rotate(10 * number, fillcolor="white") for number in range(count)]
    return save(frames[0], image_format, save_all=True, append_images=frames[1:])


def _odd_exif() -> bytes:
    """Tags of other types than the standard has, whose values lie outside the file."""
    tags = struct.pack("<HHII", _ORIENTATION, 2, 200, 9999) + struct.pack("<HHII", 282, 5, 9, 9999)
    directory = struct.pack("<H", 2) + tags + bytes(4)
    return save(page(), "JPEG", exif=b"Exif\x00\x00II*\x00" + struct.pack("<I", 8) + directory)


def _phone() -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(page()).save(buffer)
    return buffer.getvalue()


def _noise() -> bytes:
    pixels = np.random.default_rng(7).integers(0, 256, (300, 300, 3), np.uint8)
    return save(Image.fromarray(pixels), "JPEG")


def _plain(size: tuple[int, int], color: str = "white") -> bytes:
    return save(Image.new("RGB", size, color), "PNG")


FILES: list[OddFile] = [
    is_read("cmyk.jpg", drawn("JPEG", "CMYK")),
    is_read("gray_progressive.jpg", drawn("JPEG", "L", progressive=True)),
    is_read("one_bit.png", drawn("PNG", "1")),
    is_read("palette.png", drawn("PNG", "P")),
    is_read("palette_transparent.png", drawn("PNG", "P", transparency=0)),
    is_read("gray_alpha.png", drawn("PNG", "LA")),
    is_read("sixteen_bit.png", partial(_deep, "PNG")),
    is_read("sixteen_bit.tif", partial(_deep, "TIFF")),
    is_read("real_numbers.tif", _real_numbers),
    is_read("fax.tif", drawn("TIFF", "1", compression="group4")),
    is_read("jpeg_in.tif", drawn("TIFF", "YCbCr", compression="jpeg")),
    is_read("cmyk.tif", drawn("TIFF", "CMYK")),
    is_read("three_pages.tif", partial(_frames, "TIFF", 3), pages=3),
    is_read("animated.gif", partial(_frames, "GIF", 3), pages=3),
    is_read("animated.webp", partial(_frames, "WEBP", 2), pages=2),
    is_read("alpha.webp", drawn("WEBP", "RGBA", lossless=True)),
    is_read("wavelets.jp2", drawn("JPEG2000")),
    is_read("phone.heic", _phone),
    is_read("palette.bmp", drawn("BMP", "P")),
    is_read("top_down.bmp", _top_down_bmp),
    *(is_read(f"turned_{number}.jpg", partial(turned, number)) for number in range(2, 9)),
    is_read("odd_exif.jpg", _odd_exif),
    is_read("jpeg_named.png", drawn("JPEG")),
    is_read("no_suffix", drawn("PNG")),
    is_read("noise.jpg", _noise),
    is_read("blank.png", partial(_plain, (400, 300))),
    is_read("one_pixel.png", partial(_plain, (1, 1), "black")),
    is_read("strip.png", partial(_plain, (12_000, 30))),
]

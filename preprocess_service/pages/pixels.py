"""Pixels, rows x columns x 3 (RGB) or x 1 (gray), UINT8, of any image that Pillow opens."""

import contextlib
import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from preprocess_service.pages.source import PixelsHwc

Gray = npt.NDArray[np.uint8]

_GRAY_MODES = {"1", "L"}
_WHITE = (255, 255, 255, 255)
_TIFF_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0
_STRIP_PIXELS = 1 << 20
# EXIF orientations: how an upright image lies in its file.
_LIE_DOWN: dict[int, Callable[[PixelsHwc], PixelsHwc]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: upright[:, ::-1].swapaxes(0, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: upright[::-1].swapaxes(0, 1),
}
_ON_THEIR_SIDE = {5, 6, 7, 8}
_PNG_SIGNATURE_BYTES = 8
# Of one chunk beside its data: the length before it and its name, and the checksum behind it.
_PNG_HEAD_BYTES, _PNG_CHECKSUM_BYTES = 8, 4
# libpng writes pixels in chunks of 8 KB and more: this is a gigabyte of them.
_MOST_PNG_CHUNKS = 100_000
_MOST_EXIF_BYTES = 1 << 20


def to_pixels(image: Image.Image, reduction: int = 1) -> PixelsHwc:
    """The image as a reader sees it: turned as its EXIF data says, transparent parts white.

    Beside what Pillow decodes it takes little more memory than its answer does.

    Args:
        image: Decoded here, if it is not yet.
        reduction: How many pixels a side become one.
    """
    # A TIFF is turned by being decoded; of a PNG it is told before.
    orientation = 1 if isinstance(image, TiffImagePlugin.TiffImageFile) else exif_orientation(image)
    image.load()
    if image.mode.startswith(("I", "F")):
        gray = _scale_to_8_bit(np.asarray(image), image.mode)
        image = Image.fromarray(_undo_white_is_zero(gray, image))
    channels = 1 if image.mode in _GRAY_MODES and not image.has_transparency_data else 3
    height, width = (math.ceil(side / reduction) for side in (image.height, image.width))
    sides = (width, height) if orientation in _ON_THEIR_SIDE else (height, width)
    upright = np.empty((*sides, channels), np.uint8)
    lying = _LIE_DOWN[orientation](upright)
    rows = reduction * max(1, _STRIP_PIXELS // (image.width * reduction))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strip = (_on_white(strip) if channels == 3 else strip.convert("L")).reduce(reduction)
        start = top // reduction
        lying[start : start + strip.height] = np.asarray(strip).reshape(-1, width, channels)
    return upright


def to_gray(pixels: PixelsHwc) -> Gray:
    """The page's luminance, rows x columns, whether it has one channel or three."""
    if pixels.shape[2] == 1:
        return np.ascontiguousarray(pixels[:, :, 0])
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)


def is_on_its_side(image: Image.Image) -> bool:
    """Whether `to_pixels` swaps its width and height; TIFF says its sizes as they will be."""
    is_turned_by_pillow = isinstance(image, TiffImagePlugin.TiffImageFile)
    return not is_turned_by_pillow and exif_orientation(image) in _ON_THEIR_SIDE


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, _WHITE)
    paper.alpha_composite(image.convert("RGBA"))
    return paper.convert("RGB")


def _scale_to_8_bit(values: npt.NDArray[np.generic], mode: str) -> npt.NDArray[np.uint8]:
    """Gray values of 16 or 32 bits or floats, on the scale that the file most likely means."""
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    if mode.startswith("I;16"):
        low, high = 0.0, 65535.0
    elif low >= 0:
        # Scales that files use: 1 (float), 255, 65535; else the brightest value is white.
        scales = (1.0, 255.0, 65535.0) if mode == "F" else (255.0, 65535.0)
        low, high = 0.0, next((scale for scale in scales if high <= scale), high)
    scaled = (finite - low) * (255.0 / max(high - low, 1e-9))
    return np.asarray(np.clip(np.rint(scaled), 0, 255), dtype=np.uint8)


def _undo_white_is_zero(gray: npt.NDArray[np.uint8], image: Image.Image) -> npt.NDArray[np.uint8]:
    # Pillow inverts such TIFFs itself up to 8 bits only.
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        photometric = image.tag_v2.get(_TIFF_PHOTOMETRIC)
        return np.asarray(255 - gray if photometric == _WHITE_IS_ZERO else gray, dtype=np.uint8)
    return gray


def exif_orientation(image: Image.Image) -> int:
    """1 to 8; 1, as it lies, where the EXIF data is damaged or says nothing."""
    # Damaged EXIF data makes Pillow raise whatever its parser trips over.
    with contextlib.suppress(Exception):
        if isinstance(image, PngImagePlugin.PngImageFile):
            _read_png_exif(image)
            # The class's own decodes the pixels first, to find what may stand behind them.
            exif = Image.Image.getexif(image)
        else:
            exif = image.getexif()
        found = exif.get(ExifTags.Base.Orientation, 1)
        return int(found) if found in range(1, 9) else 1
    return 1


def _read_png_exif(image: PngImagePlugin.PngImageFile) -> None:
    """Find EXIF data that stands behind the pixels, by the lengths of the chunks alone."""
    file = image.fp
    if "exif" in image.info or file is None:
        return
    place = file.tell()
    try:
        file.seek(_PNG_SIGNATURE_BYTES)
        for _ in range(_MOST_PNG_CHUNKS):
            head = file.read(_PNG_HEAD_BYTES)
            length, name = int.from_bytes(head[:4], "big"), head[4:]
            if name == b"eXIf" and length <= _MOST_EXIF_BYTES:
                image.info["exif"] = b"Exif\x00\x00" + file.read(length)
            if name in (b"eXIf", b"IEND", b""):
                return
            file.seek(length + _PNG_CHECKSUM_BYTES, 1)
    finally:
        file.seek(place)

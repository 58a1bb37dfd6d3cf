"""Any image that Pillow opens → rows x columns x 3 (RGB) or x 1 (gray), UINT8."""

import contextlib

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin

from preprocess_service.imaging.raster import PixelsHwc

_GRAY_MODES = {"1", "L"}
_WHITE = (255, 255, 255, 255)
_TIFF_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0


def to_pixels(image: Image.Image) -> PixelsHwc:
    """The image as a reader sees it: turned as its EXIF data says, transparent parts white."""
    image.load()
    upright = apply_exif_orientation(image)
    if upright.mode.startswith(("I", "F")):
        gray = _scale_to_8_bit(np.asarray(upright), upright.mode)
        return _undo_white_is_zero(gray, image)[:, :, None]
    if upright.has_transparency_data:
        return np.asarray(_on_white(upright))
    if upright.mode in _GRAY_MODES:
        return np.asarray(upright.convert("L"))[:, :, None]
    return np.asarray(upright.convert("RGB"))


def apply_exif_orientation(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF data says; as it lies where that data is damaged."""
    # Damaged EXIF data makes Pillow raise whatever its parser trips over.
    with contextlib.suppress(Exception):
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            return ImageOps.exif_transpose(image)
    return image


def _on_white(image: Image.Image) -> Image.Image:
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

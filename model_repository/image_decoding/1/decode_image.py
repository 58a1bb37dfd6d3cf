"""From the bytes of an image file to RGB pixels, upright."""

from __future__ import annotations

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG2000")
REDUCTIONS = (1, 2, 4, 8)
"""Parts of its width and height at which a JPEG can be decoded."""


class UndecodableImageError(ValueError):
    """No image, a damaged one, or one with too many pixels; the message says which."""


def decode_image(data: bytes, max_pixels: int) -> tuple[npt.NDArray[np.uint8], float]:
    """Return the first frame as RGB UINT8 [height, width, 3], its EXIF orientation applied.

    Beside it stands how many pixels of the file one of these is wide: 1, or more for a JPEG that
    is decoded smaller to have no more than `max_pixels`. Transparent parts become white. The pixel
    count is checked before anything is decoded.

    Raises:
        UndecodableImageError: With a message for the one who sent the image.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                scale = _shrink_decoding(image, max_pixels)
                return np.ascontiguousarray(_to_rgb(ImageOps.exif_transpose(image))), scale
    except UndecodableImageError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files
        raise UndecodableImageError(f"IMAGE is not a readable image: {error}") from error


def _shrink_decoding(image: Image.Image, max_pixels: int) -> float:
    """Have an image decoded within the limit, and return the scale back to its own pixels."""
    width, height = image.size
    reduction = next((r for r in REDUCTIONS if -(-width // r) * -(-height // r) <= max_pixels), 0)
    if reduction > 1:
        # Pillow does it for JPEG, and leaves all others as they are.
        image.draft(None, (width // reduction, height // reduction))
    if not reduction or image.width * image.height > max_pixels:
        raise UndecodableImageError(
            f"the image has {width} by {height} pixels, more than the {max_pixels:,} that "
            "max_pixels allows; a JPEG may have 64 times as many, as it is decoded smaller"
        )
    # The smaller of the two: nothing lies beyond the image's edge.
    return min(width / image.width, height / image.height)


def _to_rgb(image: Image.Image) -> npt.NDArray[np.uint8]:
    if image.mode.startswith("I") or image.mode == "F":
        levels = np.asarray(image, np.float32)
        if image.mode != "F" or levels.max() > 1.0:
            levels = levels / (65535.0 if levels.max() > 255 else 255.0)
        gray = (np.clip(levels, 0.0, 1.0) * 255).astype(np.uint8)
        return np.repeat(gray[..., None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return np.asarray(image.convert("RGB"), np.uint8)

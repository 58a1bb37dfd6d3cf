"""From the bytes of an image file to RGB pixels, upright."""

from __future__ import annotations

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG2000")


class UndecodableImageError(ValueError):
    """No image, a damaged one, or one with too many pixels; the message says which."""


def decode_image(data: bytes, max_pixels: int) -> npt.NDArray[np.uint8]:
    """Return the first frame as RGB UINT8 [height, width, 3], its EXIF orientation applied.

    Transparent parts become white. The pixel count is checked before anything is decoded.

    Raises:
        UndecodableImageError: With a message for the one who sent the image.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > max_pixels:
                    raise UndecodableImageError(
                        f"the image has {image.width} by {image.height} pixels, "
                        f"more than the {max_pixels:,} that max_pixels allows"
                    )
                return np.ascontiguousarray(_to_rgb(ImageOps.exif_transpose(image)))
    except UndecodableImageError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files
        raise UndecodableImageError(f"IMAGE is not a readable image: {error}") from error


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

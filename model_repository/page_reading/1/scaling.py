"""Pixels of a page at another size; gray pages have one channel, others three, before and after."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def resize(pixels: Image, width: int, height: int, interpolation: int) -> Image:
    """Return [height, width, channels]; OpenCV alone would drop the axis of a single channel."""
    scaled = cv2.resize(pixels, (width, height), interpolation=interpolation)
    return np.asarray(scaled, np.uint8).reshape(height, width, pixels.shape[2])

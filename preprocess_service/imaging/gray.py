"""Pages without their color."""

import cv2
import numpy as np
import numpy.typing as npt

from preprocess_service.imaging.raster import PixelsHwc

Gray = npt.NDArray[np.uint8]


def to_gray(pixels: PixelsHwc) -> Gray:
    """The page's luminance, rows x columns, whether it has one channel or three."""
    if pixels.shape[2] == 1:
        return np.ascontiguousarray(pixels[:, :, 0])
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)

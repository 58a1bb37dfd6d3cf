"""Turns a page by a few degrees, and says how to come back."""

import math

import cv2
import numpy as np

from preprocess_service.imaging.raster import MAX_SIDE_PIXELS, PixelsHwc

AffineMap = tuple[float, ...]


def deskew(pixels: PixelsHwc, skew_degrees: float) -> tuple[PixelsHwc, AffineMap]:
    """The page with its lines level, and the map from its pixels to the given ones, row by row.

    Nothing is cut off: the page grows by what its corners take, but no side beyond what is
    allowed.
    """
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), skew_degrees, 1.0)
    cosine, sine = (abs(f(math.radians(skew_degrees))) for f in (math.cos, math.sin))
    new_width = min(math.ceil(width * cosine + height * sine), MAX_SIDE_PIXELS)
    new_height = min(math.ceil(width * sine + height * cosine), MAX_SIDE_PIXELS)
    turn[0, 2] += (new_width - width) / 2
    turn[1, 2] += (new_height - height) / 2
    turned = cv2.warpAffine(
        pixels,
        turn,
        (new_width, new_height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    back = cv2.invertAffineTransform(turn).ravel().tolist()
    shape = (new_height, new_width, pixels.shape[2])
    return np.asarray(turned, np.uint8).reshape(shape), tuple(back)

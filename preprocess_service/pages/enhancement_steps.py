"""Single steps of enhancement: each takes and returns pixels, gray or RGB, of the same size."""

import cv2
import numpy as np

from preprocess_service.pages.quality import measure_levels
from preprocess_service.pages.source import PixelsHwc

# More blackens the grain of the paper too, and reads worse.
_CONTRAST = 0.5
# Rounds off grain, hardly letters: they are some 2 pixels thick.
_SMOOTHING_SIGMA = 0.8
_SHARPENING_SIGMA = 2.0
_SHARPENING = 2.0
_ILLUMINATION_SCALE = 8


def stretch_contrast(pixels: PixelsHwc) -> PixelsHwc:
    """Paper becomes white, and ink at least half as dark as black, the rest in proportion."""
    levels = measure_levels(pixels)
    if levels is None:
        return pixels
    ink, paper = levels
    factor = max(_CONTRAST * 255 / max(paper - ink, 1), 1.0)
    values = 255 + (np.arange(256) - paper) * factor
    return _same_shape(cv2.LUT(pixels, np.clip(values, 0, 255).astype(np.uint8)), pixels)


def smooth(pixels: PixelsHwc) -> PixelsHwc:
    """Grain averaged away over the nearest pixels."""
    return _same_shape(cv2.GaussianBlur(pixels, (0, 0), _SMOOTHING_SIGMA), pixels)


def sharpen(pixels: PixelsHwc) -> PixelsHwc:
    """Edges steepened (unsharp masking)."""
    soft = cv2.GaussianBlur(pixels, (0, 0), _SHARPENING_SIGMA)
    sharp = cv2.addWeighted(pixels, 1 + _SHARPENING, soft, -_SHARPENING, 0, dst=soft)
    return _same_shape(sharp, pixels)


def even_illumination(pixels: PixelsHwc) -> PixelsHwc:
    """Shadows taken off: the page divided by the paper around each place."""
    height, width = (-(-side // _ILLUMINATION_SCALE) for side in pixels.shape[:2])
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 9)
    paper = cv2.resize(paper, pixels.shape[1::-1])
    return _same_shape(cv2.divide(pixels, paper.reshape(pixels.shape), scale=255), pixels)


def _same_shape(result: cv2.typing.MatLike, pixels: PixelsHwc) -> PixelsHwc:
    # OpenCV drops the axis of a single channel.
    return np.asarray(result, np.uint8).reshape(pixels.shape)

"""What paper, scanners and cameras do to a page.

Each takes and returns an RGB image, and the 2 by 3 matrix that maps the old pixels to the new.
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]
Degradation = Callable[[Image], tuple[Image, Matrix]]

_IDENTITY: Matrix = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
_WHITE = (255, 255, 255)


def keep(image: Image) -> tuple[Image, Matrix]:
    """A page as it was drawn."""
    return image, _IDENTITY


def skew(image: Image) -> tuple[Image, Matrix]:
    """A page laid 2 degrees askew on the scanner, with its noise."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 2.0, 1.0)
    turned = cv2.warpAffine(image, matrix, (width, height), borderValue=_WHITE)
    return _add_noise(turned.astype(np.uint8), sigma=8), matrix.astype(np.float64)


def fade(image: Image) -> tuple[Image, Matrix]:
    """A weak, blurred, noisy copy."""
    pale = cv2.GaussianBlur(image, (0, 0), 1.0) * 0.35 + 130
    return _add_noise(pale.astype(np.uint8), sigma=6), _IDENTITY


def fax(image: Image) -> tuple[Image, Matrix]:
    """Black and white with speckles."""
    speckled = _add_noise(image, sigma=45)
    return np.where(speckled < 128, np.uint8(0), np.uint8(255)), _IDENTITY


def invert(image: Image) -> tuple[Image, Matrix]:
    """White on black."""
    return cv2.bitwise_not(image).astype(np.uint8), _IDENTITY


def turn(image: Image) -> tuple[Image, Matrix]:
    """A page that lies on its side, a quarter turn clockwise."""
    matrix: Matrix = np.array([[0.0, -1.0, image.shape[0]], [1.0, 0.0, 0.0]])
    return np.ascontiguousarray(np.rot90(image, -1)), matrix


def _add_noise(image: Image, *, sigma: float) -> Image:
    # Seeded: the same page on every machine and in every run.
    noise = np.random.default_rng(1).normal(0, sigma, image.shape[:2])[:, :, None]
    return np.clip(image + noise, 0, 255).astype(np.uint8)

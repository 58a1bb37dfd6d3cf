"""Boxes for formats that count whole pixels."""

import math

from preprocess_service.document import BoundingBox


def whole_pixels(box: BoundingBox) -> tuple[int, int, int, int]:
    """The smallest box of whole pixels that holds the other; nothing stands left of or above 0."""
    x0, y0, x1, y1 = box
    left, top = max(math.floor(x0), 0), max(math.floor(y0), 0)
    return left, top, max(math.ceil(x1), left), max(math.ceil(y1), top)

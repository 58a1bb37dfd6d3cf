"""How a line of text lies on its page, and boxes around it."""

import math
from dataclasses import dataclass

from preprocess_service.document import BoundingBox, Point, Polygon

# Steeper outlines were read from their bottom, as `page_reading` does.
_VERTICAL_RATIO = 1.5
#: Share of a line's height that is below its baseline; nothing measures it, all fonts are near it.
DESCENT = 0.2


@dataclass(frozen=True)
class Placement:
    """The baseline and the height of a line or a word, in the frame of its polygon.

    Attributes:
        origin: Where the baseline begins.
        along: From there to the baseline's end.
        up: From the foot of the line to its top.
    """

    origin: Point
    along: Point
    up: Point

    @property
    def width(self) -> float:
        """The length along the baseline."""
        return math.hypot(*self.along)

    @property
    def height(self) -> float:
        """The height, from foot to top."""
        return math.hypot(*self.up)

    @property
    def end(self) -> Point:
        """The end of the baseline."""
        return self.origin[0] + self.along[0], self.origin[1] + self.along[1]

    @property
    def degrees(self) -> float:
        """Counterclockwise turn as the reader sees it: 0 for text that runs to the right."""
        return math.degrees(math.atan2(-self.along[1], self.along[0]))


def place(text: str, polygon: Polygon) -> Placement:
    """The writing in a polygon of a line or a word; `text` tells a letter from a vertical line."""
    top_left, top_right, bottom_right, bottom_left = _from_reading_start(text, polygon)
    up = _between(_middle(bottom_left, bottom_right), _middle(top_left, top_right))
    return Placement(
        origin=(bottom_left[0] + DESCENT * up[0], bottom_left[1] + DESCENT * up[1]),
        along=_between(bottom_left, bottom_right),
        up=up,
    )


def whole_pixels(box: BoundingBox) -> tuple[int, int, int, int]:
    """The smallest box of whole pixels that holds the other; nothing stands left of or above 0."""
    x0, y0, x1, y1 = box
    left, top = max(math.floor(x0), 0), max(math.floor(y0), 0)
    return left, top, max(math.ceil(x1), left), max(math.ceil(y1), top)


def _from_reading_start(text: str, polygon: Polygon) -> Polygon:
    first, second, third, fourth = polygon
    if len(text) > 1 and math.dist(first, fourth) >= _VERTICAL_RATIO * math.dist(first, second):
        return fourth, first, second, third
    return polygon


def _between(start: Point, end: Point) -> Point:
    return end[0] - start[0], end[1] - start[1]


def _middle(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2

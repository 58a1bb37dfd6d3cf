"""Words of lines, from where they begin and end along them."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from preprocess_service.document import BoundingBox, Point, Polygon, Word

Corners = tuple[Polygon, BoundingBox]


def to_words(
    texts: Sequence[str], polygons: npt.NDArray[np.float32], spans: npt.NDArray[np.float32]
) -> list[tuple[Word, ...]]:
    """The words of each line.

    Args:
        texts: Of the lines; white space parts their words.
        polygons: Of the lines, FP32 [lines, 4, 2].
        spans: FP32 [words, 3], a row for each word of each line: start and end as shares of the
            line's length, and confidence.

    Raises:
        ValueError: There are more or fewer rows than words.
    """
    counts = [len(text.split()) for text in texts]
    if sum(counts) != len(spans):
        raise ValueError(f"{len(spans)} spans for {sum(counts)} words")
    outlines = _outlines(np.repeat(polygons, counts, axis=0), spans)
    words = (
        Word(text=text, confidence=to_confidence(confidence), polygon=polygon, bbox=bbox)
        for text, confidence, (polygon, bbox) in zip(
            (word for text in texts for word in text.split()),
            spans[:, 2].tolist(),
            map(to_corners, outlines.tolist()),
            strict=True,
        )
    )
    return [tuple(next(words) for _ in range(count)) for count in counts]


def _outlines(
    lines: npt.NDArray[np.float32], spans: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Between the upper and the lower edge of each line, the part that its word takes."""
    starts, ends = spans[:, 0:1], spans[:, 1:2]
    top, bottom = lines[:, 1] - lines[:, 0], lines[:, 2] - lines[:, 3]
    corners = [
        lines[:, 0] + starts * top,
        lines[:, 0] + ends * top,
        lines[:, 3] + ends * bottom,
        lines[:, 3] + starts * bottom,
    ]
    return np.stack(corners, axis=1)


def to_corners(points: Iterable[Sequence[float]]) -> Corners:
    """Four points as polygon and bounding box, rounded to a tenth of a pixel."""
    rounded: list[Point] = [(round(x, 1), round(y, 1)) for x, y in points]
    xs, ys = [x for x, _ in rounded], [y for _, y in rounded]
    polygon = (rounded[0], rounded[1], rounded[2], rounded[3])
    return polygon, (min(xs), min(ys), max(xs), max(ys))


def to_confidence(value: float) -> float:
    """A probability that rounding may have carried over its bounds."""
    return round(min(max(value, 0.0), 1.0), 4)

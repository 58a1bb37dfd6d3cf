"""How far the lines of a page are askew, by the profile of their baselines, and levelling them."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from preprocess_service.pages.pixels import Gray, to_gray
from preprocess_service.pages.source import MAX_SIDE_PIXELS, PixelsHwc

MAX_DEGREES = 15.0
_LONG_SIDE = 800
# A line's width end to end moves by about 6 pixels from one step to the next.
_COARSE_STEP = 0.4
_FINE_STEP = 0.05
_MOST_POINTS = 8_000
_FEWEST_POINTS = 60
_LEAST_DIFFERENCE = 8.0
# How far the profile at the angle must stand out of those at other angles.
_MIN_PEAK = 1.5
_CLEAR_PEAK = 2.0

AffineMap = tuple[float, ...]
Points = npt.NDArray[np.float32]
Ink = npt.NDArray[np.bool_]


def measure_skew(pixels: PixelsHwc) -> float | None:
    """Degrees by which lines fall to the right (clockwise); None where no lines stand out.

    The lower edges of ink, on the page shrunk to about 800 pixels, are summed along parallels: the
    sum of squares is largest where the parallels run along the baselines (Postl 1986, with
    Bloomberg's choice of edges, 1995). Lines may run across the page or, on a page that lies
    sideways, down it. Accurate to about 0.1 degrees.
    """
    ink = _find_ink(pixels)
    peak, angle = _best_angle(_baseline_points(ink))
    if peak < _CLEAR_PEAK:
        peak, angle = max((peak, angle), _best_angle(_baseline_points(np.rot90(ink))))
    return angle if peak >= _MIN_PEAK and abs(angle) < MAX_DEGREES else None


def turn_level(pixels: PixelsHwc, skew_degrees: float) -> tuple[PixelsHwc, AffineMap]:
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


def _find_ink(pixels: PixelsHwc) -> Ink:
    """Where the page, shrunk, differs from what is around: light text on dark counts as well."""
    gray = _shrink(pixels)
    difference = cv2.absdiff(gray, cv2.blur(gray, (25, 25)))
    threshold, _ = cv2.threshold(difference, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(difference > max(threshold, _LEAST_DIFFERENCE))


def _shrink(pixels: PixelsHwc) -> Gray:
    """The page in gray, by a whole factor: ten times faster than by any other."""
    factor = max(round(max(pixels.shape[:2]) / _LONG_SIDE), 1)
    # A page of 100 megapixels is not worth more than every so many-th pixel.
    step = max(factor // 2, 1)
    gray = to_gray(pixels[::step, ::step])
    factor //= step
    height, width = (max(side // factor, 1) for side in gray.shape)
    whole = gray[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _baseline_points(ink: Ink) -> Points:
    """Columns and rows where ink ends downwards."""
    edges = ink[:-1] & ~ink[1:]
    places = np.flatnonzero(edges)
    places = places[:: max(-(-len(places) // _MOST_POINTS), 1)]
    rows, columns = np.divmod(places, edges.shape[1])
    return np.asarray(np.stack([columns, rows]), np.float32)


def _best_angle(points: Points) -> tuple[float, float]:
    """How far the best angle stands out, and the angle."""
    if points.shape[1] < _FEWEST_POINTS:
        return 0.0, 0.0
    angles = np.arange(-MAX_DEGREES, MAX_DEGREES + _COARSE_STEP / 2, _COARSE_STEP)
    scores = [_score(points, angle) for angle in angles]
    best = angles[int(np.argmax(scores))]
    fine = np.arange(best - _COARSE_STEP, best + _COARSE_STEP + _FINE_STEP / 2, _FINE_STEP)
    fine_scores = [_score(points, angle) for angle in fine]
    peak = max(fine_scores) / max(float(np.median(scores)), 1.0)
    return peak, float(fine[int(np.argmax(fine_scores))])


def _score(points: Points, degrees: float) -> float:
    """Sum of squares of the profile along parallels at that angle."""
    along, across = points
    position = across - along * np.float32(np.tan(np.radians(degrees)))
    position -= position.min()
    profile = np.bincount(position.astype(np.intp))
    return float(np.dot(profile, profile))

"""From a text probability map to line polygons: the postprocessing of Differentiable Binarization.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020;
thresholds as in PaddleOCR's DBPostProcess.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class BoxThresholds:
    """The detector's knobs; probabilities from 0 to 1, sides in pixels of the map."""

    binarize_threshold: float
    box_threshold: float
    unclip_ratio: float
    max_candidates: int
    min_side: float


def find_boxes(probability_map: npt.NDArray[np.uint8], knobs: BoxThresholds) -> FloatArray:
    """Return text lines as rectangles [n, 4, 2] in map pixels, clockwise from their top left.

    Args:
        probability_map: UINT8 [height, width], probability times 255.
        knobs: Thresholds of the detector that made the map.
    """
    threshold = round(knobs.binarize_threshold * 255)
    _, mask = cv2.threshold(probability_map, threshold, 255, cv2.THRESH_BINARY)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = []
    for contour in contours[: knobs.max_candidates]:
        rectangle = cv2.minAreaRect(contour)
        if min(rectangle[1]) < knobs.min_side:
            continue
        if (
            _mean_probability(probability_map, np.asarray(contour, np.int32))
            < knobs.box_threshold * 255
        ):
            continue
        boxes.append(
            _clockwise(
                np.asarray(cv2.boxPoints(_unclip(rectangle, knobs.unclip_ratio)), np.float32)
            )
        )
    return np.stack(boxes) if boxes else np.zeros((0, 4, 2), np.float32)


def _mean_probability(
    probability_map: npt.NDArray[np.uint8], contour: npt.NDArray[np.int32]
) -> float:
    left, top, width, height = cv2.boundingRect(contour)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [contour - (left, top)], (1,))
    region = probability_map[top : top + height, left : left + width]
    return float(cv2.mean(region, inside)[0])


def _unclip(rectangle: cv2.typing.RotatedRect, ratio: float) -> cv2.typing.RotatedRect:
    # The offset of DB's Vatti clipping, area * ratio / perimeter; of a rectangle it is closed-form.
    center, (width, height), angle = rectangle
    offset = width * height * ratio / (width + height)
    return center, (width + offset, height + offset), angle


def _clockwise(corners: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Order four corners clockwise, beginning with the one that a reader calls the top left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)

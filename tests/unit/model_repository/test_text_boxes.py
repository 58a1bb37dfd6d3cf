import cv2
import numpy as np
from text_boxes import BoxThresholds, find_boxes

KNOBS = BoxThresholds(
    binarize_threshold=0.2, box_threshold=0.5, unclip_ratio=1.5, max_candidates=100, min_side=3
)


def test_blank_map_has_no_boxes():
    assert find_boxes(np.zeros((64, 64), np.uint8), KNOBS).shape == (0, 4, 2)


def test_box_is_expanded_by_area_over_perimeter():
    probabilities = np.zeros((100, 300), np.uint8)
    probabilities[40:60, 50:250] = 255
    (box,) = find_boxes(probabilities, KNOBS)
    offset = 199 * 19 * 1.5 / (2 * (199 + 19))
    expected = [[50 - offset, 40 - offset], [249 + offset, 59 + offset]]
    np.testing.assert_allclose(box[[0, 2]], expected, atol=0.6)


def test_corners_run_clockwise_from_the_top_left_of_a_slanted_line():
    probabilities = np.zeros((200, 300), np.uint8)
    corners = cv2.boxPoints(((150, 100), (200, 20), 10))
    cv2.fillPoly(probabilities, [corners.astype(np.int32)], 255)
    (box,) = find_boxes(probabilities, KNOBS)
    top_left, top_right, bottom_right, bottom_left = box
    assert top_left[0] < top_right[0]
    assert top_left[1] < bottom_left[1]
    assert top_right[1] < bottom_right[1]
    assert top_left[1] < top_right[1]


def test_weak_and_tiny_regions_are_left_out():
    probabilities = np.zeros((100, 300), np.uint8)
    probabilities[10:30, 10:100] = 90
    probabilities[60:62, 60:62] = 255
    assert len(find_boxes(probabilities, KNOBS)) == 0

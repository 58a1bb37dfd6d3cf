import line_crops
import numpy as np
import pytest


def rectangle(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


PAGE = np.full((600, 3000, 3), 255, np.uint8)


def test_crop_has_the_recognizers_height_and_the_squeezed_width():
    crop = line_crops.crop_line(PAGE, rectangle(10, 10, 490, 34), 48, 0.8, 1536)
    assert crop.shape == (48, 768, 3)


def test_line_wider_than_the_widest_bucket_is_squeezed_into_it():
    crop = line_crops.crop_line(PAGE, rectangle(0, 0, 1000, 24), 48, 0.8, 1536)
    assert crop.shape[1] == 1536


def test_line_that_squeezing_would_ruin_stays_wide_and_is_split():
    crop = line_crops.crop_line(PAGE, rectangle(0, 0, 3000, 24), 48, 0.8, 1536)
    assert crop.shape[1] > 1536
    pieces = line_crops.split_crop(0, crop, 1536)
    assert sum(piece.pixels.shape[1] for piece in pieces) == crop.shape[1]
    assert max(piece.pixels.shape[1] for piece in pieces) <= 1536


def test_line_is_split_in_a_gap_between_words():
    crop = np.full((48, 2000, 3), 255, np.uint8)
    crop[10:40, ::7] = 0
    crop[:, 970:1000] = 255
    left, right = line_crops.split_crop(0, crop, 1536)
    assert 970 <= left.pixels.shape[1] <= 1000
    assert right.spaced
    assert not left.spaced


def test_slanted_line_is_straightened():
    page = PAGE.copy()
    polygon = np.array([[100, 100], [500, 140], [498, 160], [98, 120]], np.float32)
    page[...] = 0
    import cv2

    cv2.fillPoly(page, [polygon.astype(np.int32)], (255, 255, 255))
    crop = line_crops.crop_line(page, polygon, 48, 1.0, 1536)
    assert crop[6:-6, 8:-8].min() > 200


@pytest.mark.parametrize("polygon", [rectangle(5, 5, 5, 5), rectangle(2999, 599, 3000, 600)])
def test_degenerate_polygon_still_gives_a_crop(polygon):
    crop = line_crops.crop_line(PAGE, polygon, 48, 1.0, 1536)
    assert crop.shape[0] == 48
    assert crop.shape[1] >= 8


def test_bucket_is_padded_on_the_right():
    crop = line_crops.Crop(0, np.zeros((48, 50, 3), np.uint8))
    batch = line_crops.fill_bucket([crop], 96, 127)
    assert batch.shape == (1, 48, 96, 3)
    assert batch[0, :, 50:].min() == batch[0, :, 50:].max() == 127

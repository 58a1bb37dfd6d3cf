import line_crops
import numpy as np
import pytest
from directions import Direction, outline_along, possible_directions


def rectangle(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


@pytest.mark.parametrize(
    ("outline", "directions"),
    [
        (rectangle(0, 0, 200, 20), [Direction.RIGHT]),
        (rectangle(0, 0, 20, 20), [Direction.RIGHT]),
        (rectangle(0, 0, 10, 20), [Direction.RIGHT, Direction.UP, Direction.DOWN]),
        (rectangle(0, 0, 20, 200), [Direction.UP, Direction.DOWN]),
    ],
)
def test_an_outline_says_where_its_text_may_run(outline, directions):
    assert list(possible_directions(outline)) == directions


@pytest.mark.parametrize(
    ("direction", "begins_at"),
    [
        (Direction.RIGHT, (0, 50)),
        (Direction.DOWN, (20, 0)),
        (Direction.LEFT, (40, 50)),
        (Direction.UP, (20, 100)),
    ],
)
def test_the_left_end_of_an_outline_is_where_its_text_begins(direction, begins_at):
    outline = outline_along(rectangle(0, 0, 40, 100), direction)
    np.testing.assert_array_equal(outline[[0, 3]].mean(axis=0), begins_at)


@pytest.mark.parametrize(("direction", "end"), [(Direction.UP, -4), (Direction.DOWN, 4)])
def test_a_tall_line_is_turned_to_be_read(direction, end):
    page = np.full((600, 300, 3), 255, np.uint8)
    page[100:110, 100:124] = 0
    outline = outline_along(rectangle(100, 100, 124, 500), direction)
    crop = line_crops.crop_line(page, outline, 48, 1.0, 1536)
    assert crop.shape[1] > crop.shape[0]
    assert crop[24, end].mean() < 60
    assert crop[24, -end].mean() > 200

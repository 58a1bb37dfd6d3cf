import numpy as np
from reading_order import order_lines


def box(left, top, width, height=20):
    return [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]


def order(boxes, angle=0.0):
    points = np.array(boxes, np.float32)
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turned = points @ np.array([[cosine, sine], [-sine, cosine]])
    return order_lines(turned.astype(np.float32))


TITLE = box(50, 0, 900)
LEFT = [box(50, 100 + 30 * i, 420) for i in range(8)]
RIGHT = [box(530, 103 + 30 * i, 420) for i in range(8)]
FOOT = box(50, 400, 900)


def test_two_columns_are_read_one_after_the_other_between_title_and_foot():
    interleaved = [FOOT, *(line for pair in zip(RIGHT, LEFT, strict=True) for line in pair), TITLE]
    expected = [TITLE, *LEFT, *RIGHT, FOOT]
    assert [interleaved[i] for i in order(interleaved)] == expected


def test_two_columns_on_a_skewed_page():
    boxes = [*RIGHT, *LEFT, TITLE]
    assert [boxes[i] for i in order(boxes, angle=4)] == [TITLE, *LEFT, *RIGHT]


def test_three_columns():
    columns = [[box(50 + 320 * c, 30 * i, 290) for i in range(6)] for c in range(3)]
    boxes = [line for row in zip(*columns, strict=True) for line in row]
    assert [boxes[i] for i in order(boxes)] == [line for column in columns for line in column]


def test_table_with_long_cells_is_read_row_by_row():
    lengths = [150, 330, 210, 390, 160, 300, 240, 400, 180, 350]
    commands = [box(50, 40 * i, length) for i, length in enumerate(lengths)]
    meanings = [box(530, 40 * i, 1.1 * length) for i, length in enumerate(reversed(lengths))]
    boxes = [*meanings, *commands]
    expected = [cell for row in zip(commands, meanings, strict=True) for cell in row]
    assert [boxes[i] for i in order(boxes)] == expected


def test_columns_that_run_around_a_picture():
    narrow = range(3, 11)
    left = [box(50, 30 * i, 200 if i in narrow else 420) for i in range(14)]
    right = [
        box(750 if i in narrow else 530, 30 * i, 200 if i in narrow else 420) for i in range(14)
    ]
    boxes = [line for pair in zip(left, right, strict=True) for line in pair]
    assert [boxes[i] for i in order(boxes)] == [*left, *right]


def test_receipt_is_read_row_by_row():
    names = [box(20, 40 * i, 150 + 10 * (i % 3)) for i in range(6)]
    prices = [box(420, 40 * i + 4, 60) for i in range(6)]
    boxes = [*prices, *names]
    expected = [line for pair in zip(names, prices, strict=True) for line in pair]
    assert [boxes[i] for i in order(boxes)] == expected


def test_empty_page_and_single_line():
    assert order_lines(np.zeros((0, 4, 2), np.float32)) == []
    assert order([TITLE]) == [0]

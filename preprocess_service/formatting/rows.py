"""Lines that stand side by side, and tables made of them."""

from collections.abc import Iterator, Sequence

from preprocess_service.document import Line

Row = tuple[Line, ...]

_SHARED_HEIGHT = 0.5
# Rows further apart, in heights, are not of one table.
_ROW_GAP = 2.0
_LEAST_ROWS = _LEAST_CELLS = 2


def as_rows(lines: Sequence[Line]) -> list[Row]:
    """The lines in their order, neighbors in it that stand side by side as one row."""
    rows: list[Row] = []
    for line in lines:
        if rows and _are_side_by_side(rows[-1][-1], line):
            rows[-1] = (*rows[-1], line)
        else:
            rows.append((line,))
    return rows


def part_tables(rows: Sequence[Row]) -> Iterator[tuple[bool, list[Row]]]:
    """The rows in their order, in groups: whether a group is a table, and its rows."""
    prose: list[Row] = []
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and _are_of_one_table(rows[end - 1], rows[end]):
            end += 1
        if end - start >= _LEAST_ROWS:
            if prose:
                yield False, prose
            yield True, list(rows[start:end])
            prose = []
        else:
            prose.append(rows[start])
        start = end
    if prose:
        yield False, prose


def _are_side_by_side(one: Line, other: Line) -> bool:
    (left, top, right, bottom), (x0, y0, x1, y1) = one.bbox, other.bbox
    shared = min(bottom, y1) - max(top, y0)
    is_level = shared > _SHARED_HEIGHT * min(bottom - top, y1 - y0)
    return is_level and (x0 >= right or x1 <= left)


def _are_of_one_table(above: Row, row: Row) -> bool:
    """Whether both have cells, and one behind the first stands below one behind the first."""
    if min(len(above), len(row)) < _LEAST_CELLS:
        return False
    height = row[0].bbox[3] - row[0].bbox[1]
    if row[0].bbox[1] - above[0].bbox[3] > _ROW_GAP * height:
        return False
    return any(
        min(upper.bbox[2], lower.bbox[2]) > max(upper.bbox[0], lower.bbox[0])
        for upper in above[1:]
        for lower in row[1:]
    )

"""Tables: rows below each other whose cells stand below each other."""

from collections.abc import Iterator, Sequence

from preprocess_service.rows import Row

# Rows further apart, in heights, are not of one table.
_ROW_GAP = 2.0
_LEAST_ROWS = _LEAST_CELLS = 2


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

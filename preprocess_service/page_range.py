"""The `page_range` option: `1-5,7,9-`."""

import re
from operator import itemgetter

from preprocess_service.errors import InvalidOptionsError
from preprocess_service.problem import quoted

_PART = re.compile(r"([0-9]{1,9})(?:(-)([0-9]{1,9})?)?")

Ranges = list[tuple[int, int | None]]


def parse_page_range(text: str) -> Ranges:
    """First and last page of each part, counted from 1; None stands for the last page.

    Raises:
        InvalidOptionsError: The text is not of the form `1-5,7,9-`.
    """
    return [_parse_part(part.strip(), text) for part in text.split(",")]


def _parse_part(part: str, text: str) -> tuple[int, int | None]:
    match = _PART.fullmatch(part)
    if match is None:
        raise InvalidOptionsError(f"page_range: {quoted(text)} is not of the form 1-5,7,9-.")
    first = int(match[1])
    last = first if match[2] is None else int(match[3]) if match[3] else None
    if first < 1 or (last is not None and last < first):
        raise InvalidOptionsError(
            f"page_range: {quoted(part)} runs backwards or begins before page 1."
        )
    return first, last


def select_pages(page_range: str | None, page_count: int) -> list[int]:
    """Indices (from 0) of the pages asked for, in document order, each once.

    A range may end behind the last page, as readers of a few first pages do not count them before.

    Raises:
        InvalidOptionsError: A part begins behind the last page.
    """
    if page_range is None:
        return list(range(page_count))
    chosen: list[int] = []
    for first, last in sorted(parse_page_range(page_range), key=itemgetter(0)):
        if first > page_count:
            raise InvalidOptionsError(
                f"page_range: page {first} does not exist, the document has {page_count}."
            )
        # Parts that overlap cost nothing more, however many there are.
        begin = max(first - 1, chosen[-1] + 1 if chosen else 0)
        chosen.extend(range(begin, min(last or page_count, page_count)))
    return chosen

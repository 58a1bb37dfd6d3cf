"""The `page_range` option: `1-5,7,9-`."""

import re

from preprocess_service.errors import InvalidOptionsError

_PART = re.compile(r"(\d{1,9})(?:(-)(\d{1,9})?)?")

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
        raise InvalidOptionsError(f"page_range: {text!r} is not of the form 1-5,7,9-.")
    first = int(match[1])
    last = first if match[2] is None else int(match[3]) if match[3] else None
    if first < 1 or (last is not None and last < first):
        raise InvalidOptionsError(f"page_range: {part!r} runs backwards or begins before page 1.")
    return first, last


def select_pages(page_range: str | None, page_count: int) -> list[int]:
    """Indices (from 0) of the pages asked for, in document order, each once.

    A range may end behind the last page, as readers of a few first pages do not count them before.

    Raises:
        InvalidOptionsError: A part begins behind the last page.
    """
    if page_range is None:
        return list(range(page_count))
    chosen: set[int] = set()
    for first, last in parse_page_range(page_range):
        if first > page_count:
            raise InvalidOptionsError(
                f"page_range: page {first} does not exist, the document has {page_count}."
            )
        chosen.update(range(first - 1, min(last or page_count, page_count)))
    return sorted(chosen)

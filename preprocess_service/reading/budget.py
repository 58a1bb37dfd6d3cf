"""The budgets of pages in flight, of their bytes, and of a document's text."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preprocess_service import metrics
from preprocess_service.document import Page
from preprocess_service.errors import ResultTooLargeError
from preprocess_service.turns import NOBODY, Party, Room, Turns

#: Whose pages wait long for their turn leaves room for those of others.
ONE_CALLERS_SHARE = 0.75


class PageBudget:
    """Bounds pages and their bytes between drawing and reading, over all documents.

    Callers take turns, and one has no more than `ONE_CALLERS_SHARE` of either. A large page is not
    overtaken for ever; one that is larger than the whole budget is let in alone.
    """

    def __init__(self, max_pages: int, max_bytes: int) -> None:
        self._max_pages = max_pages
        self._max_bytes = max_bytes
        self._share = 1.0
        self._turns = Turns(*self._rooms())

    @property
    def pages(self) -> int:
        """How many pages are in flight."""
        return self._turns.held.count

    @property
    def bytes(self) -> int:
        """How many bytes of pixels are in flight."""
        return self._turns.held.weight

    @property
    def allowed_pages(self) -> int:
        """How many pages may be in flight now; never none."""
        return max(1, round(self._max_pages * self._share))

    def allow(self, share: float) -> None:
        """Let in that share (0 to 1) of the full budget from now on."""
        if share != self._share:
            self._share = share
            self._turns.resize(*self._rooms())

    @asynccontextmanager
    async def hold(self, page_bytes: int, party: Party = NOBODY) -> AsyncIterator[None]:
        """Wait until a page of that size fits, and count it until the block ends."""
        async with self._turns.hold(party, page_bytes):
            _count(1, page_bytes)
            try:
                yield
            finally:
                _count(-1, -page_bytes)

    def _rooms(self) -> tuple[Room, Room]:
        whole = Room(self.allowed_pages, self._max_bytes * self._share)
        pages = math.ceil(whole.count * ONE_CALLERS_SHARE)
        return whole, Room(pages, whole.weight * ONE_CALLERS_SHARE)


def _count(pages: int, page_bytes: int) -> None:
    metrics.PAGES_IN_FLIGHT.inc(pages)
    metrics.PAGE_BYTES_IN_FLIGHT.inc(page_bytes)


class TextBudget:
    """Bounds the text of one document's pages, with its coordinates: bytes of JSON.

    Once a page does not fit, none of those that come after it does.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._left = max_bytes

    def require_left(self) -> None:
        """Refuse a page before it is read.

        Raises:
            ResultTooLargeError: Nothing is left.
        """
        if self._left <= 0:
            raise ResultTooLargeError(
                f"The text of this document takes more than {self._max_bytes >> 20} MB as JSON "
                "(MAX_RESULT_MB). Ask for fewer pages with `page_range`, or without `words`."
            )

    def spend(self, text_bytes: int) -> None:
        """Count a page that has been read.

        Raises:
            ResultTooLargeError: It does not fit.
        """
        if text_bytes > self._left:
            self._left = 0
        self.require_left()
        self._left -= text_bytes


def text_bytes(page: Page) -> int:
    """The bytes that a page counts for in a `TextBudget`: those of its JSON."""
    return len(page.model_dump_json().encode())

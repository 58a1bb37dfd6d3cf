"""How many pages, and how many bytes of them, may be in flight at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preprocess_service import metrics


class PageBudget:
    """Bounds pages and their bytes between drawing and reading, over all documents.

    Pages are let in by turn, so that a large one is not overtaken for ever; one that is larger
    than the whole budget is let in alone.
    """

    def __init__(self, max_pages: int, max_bytes: int) -> None:
        self._max_pages = max_pages
        self._max_bytes = max_bytes
        self._share = 1.0
        self._turn = asyncio.Lock()
        self._changed = asyncio.Condition()
        self.pages = 0
        self.bytes = 0

    @property
    def allowed_pages(self) -> int:
        """How many pages may be in flight now; never none."""
        return max(1, round(self._max_pages * self._share))

    async def allow(self, share: float) -> None:
        """Let in that share (0 to 1) of the full budget from now on."""
        if share != self._share:
            self._share = share
            async with self._changed:
                self._changed.notify_all()

    @asynccontextmanager
    async def hold(self, page_bytes: int) -> AsyncIterator[None]:
        """Wait until a page of that size fits, and count it until the block ends."""
        async with self._turn, self._changed:
            await self._changed.wait_for(lambda: self._fits(page_bytes))
            self._add(1, page_bytes)
        try:
            yield
        finally:
            self._add(-1, -page_bytes)
            async with self._changed:
                self._changed.notify_all()

    def _fits(self, page_bytes: int) -> bool:
        max_bytes = self._max_bytes * self._share
        fits_beside = self.pages < self.allowed_pages and self.bytes + page_bytes <= max_bytes
        return self.pages == 0 or fits_beside

    def _add(self, pages: int, page_bytes: int) -> None:
        self.pages += pages
        self.bytes += page_bytes
        metrics.PAGES_IN_FLIGHT.inc(pages)
        metrics.PAGE_BYTES_IN_FLIGHT.inc(page_bytes)

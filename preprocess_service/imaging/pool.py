"""A warm pool of rasterizing processes; each serves one page of any document at a time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import BinaryIO

from preprocess_service.document import Page
from preprocess_service.errors import ServiceError
from preprocess_service.imaging.process import RasterizerProcess
from preprocess_service.imaging.raster import DocumentInfo, RasterPage, RasterRequest, TextPage

# A page whose caller has gone may still be drawn to its end, which is cheaper than a new process.
_GRACE_SECONDS = 1.0
# Decoders in C leak and fragment; a process that has drawn this many pages is replaced.
_PAGES_PER_PROCESS = 2000

_log = logging.getLogger(__name__)


class RasterizerPool:
    """Keeps `size` processes alive and lends them out page by page, so that none waits for long.

    A document's pages may be drawn by several processes at once; one that already has the
    document open is preferred.
    """

    def __init__(self, size: int, memory_bytes: int, page_timeout_seconds: float) -> None:
        self._size = size
        self._memory_bytes = memory_bytes
        self._timeout_seconds = page_timeout_seconds
        self._free = asyncio.Semaphore(size)
        self._idle: list[RasterizerProcess] = []
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start every process; raises InternalError where that is impossible."""
        starts = (RasterizerProcess.start(self._memory_bytes) for _ in range(self._size))
        self._idle.extend(await asyncio.gather(*starts))

    async def close(self) -> None:
        """End every process."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await asyncio.gather(*(process.kill() for process in self._idle))
        self._idle.clear()

    @property
    def pids(self) -> set[int]:
        """Ids of the processes that wait for a page."""
        return {process.pid for process in self._idle}

    async def inspect(self, request: RasterRequest, file: BinaryIO) -> DocumentInfo:
        """Page count, sizes and metadata of a document.

        Raises:
            InvalidDocumentError: It cannot be read as what it claims to be.
            EncryptedDocumentError: It needs a password, or another one.
            TooManyPagesError: More pages are asked for than allowed.
            PageTooLargeError: An image has more pixels than allowed.
            InvalidOptionsError: `page_range` names a page that does not exist.
            DocumentTooCostlyError: It took too long or too much memory, or crashed its process.
        """
        async with self._lease(request.document_id) as process:
            return await process.inspect(request, file, self._timeout_seconds)

    async def render(
        self, request: RasterRequest, file: BinaryIO, index: int
    ) -> RasterPage | TextPage:
        """One page, counted from 0: its own text where the request wants it, else its pixels.

        Raises:
            InvalidDocumentError: The page cannot be decoded.
            PageTooLargeError: It has more pixels than allowed.
            DocumentTooCostlyError: It took too long or too much memory, or crashed its process.
        """
        async with self._lease(request.document_id) as process:
            return await process.render(request, file, index, self._timeout_seconds)

    async def add_text(
        self, request: RasterRequest, file: BinaryIO, pages: Sequence[Page]
    ) -> bytes:
        """The pages that were read as a PDF, as they were, with their text behind them.

        It may take as long as opening the document and drawing each of the pages.

        Raises:
            InvalidDocumentError: The document is damaged.
            EncryptedDocumentError: It needs a password, or another one.
            DocumentTooCostlyError: It took too long or too much memory, or crashed its process.
        """
        packed = await asyncio.to_thread(_pack, pages)
        timeout_seconds = self._timeout_seconds * (1 + len(pages))
        async with self._lease(request.document_id) as process:
            return await process.add_text(request, file, packed, timeout_seconds)

    @asynccontextmanager
    async def _lease(self, document_id: str) -> AsyncIterator[RasterizerProcess]:
        await self._free.acquire()
        try:
            process = self._take(document_id) or await RasterizerProcess.start(self._memory_bytes)
        except BaseException:
            self._free.release()
            raise
        try:
            yield process
        finally:
            if process.is_idle and process.pages_drawn < _PAGES_PER_PROCESS:
                self._put_back(process)
            else:
                self._run_in_background(self._renew(process))

    def _take(self, document_id: str) -> RasterizerProcess | None:
        """An idle process that lives, best one that has the document open."""
        self._idle = [process for process in self._idle if process.is_alive]
        if not self._idle:
            return None
        position = next(
            (i for i, idle in enumerate(self._idle) if idle.document_id == document_id), 0
        )
        return self._idle.pop(position)

    def _put_back(self, process: RasterizerProcess) -> None:
        self._idle.append(process)
        self._free.release()

    async def _renew(self, process: RasterizerProcess) -> None:
        """Make the place of a busy, dead or worn process usable again."""
        try:
            await process.settle(_GRACE_SECONDS)
            if not process.is_idle or process.pages_drawn >= _PAGES_PER_PROCESS:
                await process.kill()
                _log.info("rasterizing process replaced", extra={"pid": process.pid})
                process = await RasterizerProcess.start(self._memory_bytes)
            self._idle.append(process)
        except ServiceError:
            _log.exception("no rasterizing process could be started; the next page tries again")
        except asyncio.CancelledError:
            await process.kill()
            raise
        finally:
            self._free.release()

    def _run_in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _pack(pages: Sequence[Page]) -> bytes:
    """A page per row, so that the other side need not hold them all at once."""
    return "\n".join(page.model_dump_json() for page in pages).encode()

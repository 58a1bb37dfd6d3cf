"""The rasterizer: documents opened, drawn and written as PDF by child processes."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import BinaryIO

import numpy as np

from preprocess_service.document import LINES, Page
from preprocess_service.pages.source import (
    DocumentInfo,
    Enhancement,
    PageFrame,
    PageSize,
    RasterPage,
    RasterRequest,
    TextPage,
)
from preprocess_service.sandbox import channel
from preprocess_service.sandbox.pool import SandboxPool
from preprocess_service.sandbox.process import Task

#: Module that the processes of a rasterizer's pool run.
PROGRAM = "preprocess_service.reading.rasterizer_process"


class Rasterizer:
    """What `rasterizer_process.RasterizerProgram` does, asked of the processes of a pool.

    Whatever a document does to one of them is a `DocumentTooCostlyError` of that document alone.
    """

    def __init__(self, pool: SandboxPool) -> None:
        self.pool = pool

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
        answer = await self.pool.run(_task("inspect", request), file)
        with contextlib.closing(answer):
            assert answer.fd is not None
            rows = channel.map_array(answer.fd, (answer.body["rows"], 4), np.int64).tolist()
        return DocumentInfo(
            page_count=answer.body["page_count"],
            page_indices=[row[0] for row in rows],
            sizes=[PageSize(*row[1:]) for row in rows],
            metadata=answer.body["metadata"],
        )

    async def render(
        self, request: RasterRequest, file: BinaryIO, index: int
    ) -> RasterPage | TextPage:
        """One page, counted from 0: its own text where the request wants it, else its pixels.

        Raises:
            InvalidDocumentError: The page cannot be decoded.
            PageTooLargeError: It has more pixels than allowed.
            DocumentTooCostlyError: It took too long or too much memory, or crashed its process, or
                the pages before took too much of a processor.
        """
        answer = await self.pool.run(_task("render", request, index=index), file)
        with contextlib.closing(answer):
            assert answer.fd is not None
            if "text_bytes" in answer.body:
                return _text_page(answer)
            pixels = channel.map_array(answer.fd, tuple(answer.body["shape"]), np.uint8)
        enhancement = Enhancement.from_json(answer.body["enhancement"])
        frame = PageFrame.from_json(answer.body["frame"])
        return RasterPage(pixels, answer.body["dpi"], enhancement, frame)

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
        seconds = self.pool.longest_seconds(len(pages))
        answer = await self.pool.run(_task("add_text", request), file, packed, seconds)
        with contextlib.closing(answer):
            assert answer.fd is not None
            return await asyncio.to_thread(channel.read_bytes, answer.fd)


def _task(name: str, request: RasterRequest, **more: int) -> Task:
    return Task(name, request.document_id, request.caller, {"request": asdict(request), **more})


def _text_page(answer: channel.Message) -> TextPage:
    assert answer.fd is not None
    lines = channel.map_array(answer.fd, (answer.body["text_bytes"],), np.uint8).tobytes()
    return TextPage(LINES.validate_json(lines), PageSize(**answer.body["size"]), answer.body["dpi"])


def _pack(pages: Sequence[Page]) -> bytes:
    """A page per row, so that the other side need not hold them all at once."""
    return "\n".join(page.model_dump_json() for page in pages).encode()

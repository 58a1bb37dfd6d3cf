"""The rasterizing process: `python -m preprocess_service.imaging.worker FD MEMORY_BYTES`.

It opens what strangers upload, so it runs apart, within limits, and may be killed at any time.
"""

import ctypes
import os
import resource
import signal
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from preprocess_service.document import LINES, Page
from preprocess_service.errors import (
    DocumentTooCostlyError,
    InvalidDocumentError,
    ServiceError,
    TooManyPagesError,
)
from preprocess_service.imaging import channel
from preprocess_service.imaging.decode import ImageSource
from preprocess_service.imaging.enhance import enhance_page
from preprocess_service.imaging.raster import PageSize, PageSource, RasterRequest, TextPage
from preprocess_service.imaging.rasterize import PdfSource
from preprocess_service.imaging.searchable import write_searchable
from preprocess_service.imaging.sniff import PDF
from preprocess_service.page_range import select_pages

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_TOO_MUCH_MEMORY = "It takes more memory than allowed (RASTERIZER_MEMORY_MB)."


class Rasterizer:
    """Answers one request at a time and keeps the last document open between them."""

    def __init__(self) -> None:
        self._document_id: str | None = None
        self._source: PageSource | None = None

    def inspect(self, request: RasterRequest, fd: int) -> tuple[dict[str, Any], int]:
        """Page count and metadata, and a file of [index, width, height] per page asked for."""
        source = self._open(request, fd)
        if source.page_count < 1:
            raise InvalidDocumentError("The document has no pages.")
        indices = select_pages(request.page_range, source.page_count)
        if len(indices) > request.max_pages:
            raise TooManyPagesError(
                f"{len(indices)} pages are to be read; allowed are {request.max_pages} "
                "(PDF_MAX_PAGES). Ask for fewer with `page_range`."
            )
        rows = [(index, *_claimed_size(source, index)) for index in indices]
        answer = {"page_count": source.page_count, "metadata": source.metadata, "rows": len(rows)}
        return answer, channel.write_array(np.array(rows, np.int64))

    def render(self, request: RasterRequest, fd: int, index: int) -> tuple[dict[str, Any], int]:
        """Shape and resolution of a page, what was done to it, and a file of its pixels.

        Or size and resolution of a page that has text of its own, and a file of its lines.
        """
        source = self._open(request, fd)
        if (text := source.read_text(index)) is not None:
            return _text_answer(text)
        page = source.render(index)
        if request.enhance != "none":
            page = enhance_page(page, request.enhance)
        enhancement = page.enhancement and asdict(page.enhancement)
        answer = {"shape": page.pixels.shape, "dpi": page.dpi, "enhancement": enhancement}
        return answer, channel.write_array(page.pixels)

    def add_text(self, request: RasterRequest, fd: int, pages: int) -> tuple[dict[str, Any], int]:
        """A file of the searchable PDF; `pages` is a file of them as read, a row each."""
        self.forget()
        path = Path(f"/proc/self/fd/{fd}")
        with Path(f"/proc/self/fd/{pages}").open("rb") as rows:
            read = map(Page.model_validate_json, rows)
            return {}, channel.write_file(lambda file: write_searchable(path, request, read, file))

    def forget(self) -> None:
        """Close the document that is open."""
        source, self._source, self._document_id = self._source, None, None
        if source is not None:
            source.close()

    def _open(self, request: RasterRequest, fd: int) -> PageSource:
        if self._source is None or self._document_id != request.document_id:
            self.forget()
            # Opened anew, so that processes that read one file do not share a position in it.
            path = Path(f"/proc/self/fd/{fd}")
            kind = PdfSource if request.media_type == PDF else ImageSource
            self._source, self._document_id = kind(path, request), request.document_id
        return self._source


def _text_answer(page: TextPage) -> tuple[dict[str, Any], int]:
    lines = np.frombuffer(LINES.dump_json(page.lines), np.uint8)
    answer = {"text_bytes": lines.size, "size": asdict(page.size), "dpi": page.dpi}
    return answer, channel.write_array(lines)


def _claimed_size(source: PageSource, index: int) -> tuple[int, int]:
    """Zero for a page whose size cannot be told: it fails alone when its turn comes."""
    try:
        size = source.size(index)
    except ServiceError:
        size = PageSize(0, 0)
    return min(size.width, 2**31), min(size.height, 2**31)


def answer(rasterizer: Rasterizer, message: channel.Message) -> tuple[dict[str, Any], int | None]:
    """The reply to one message; every failure of a document becomes one."""
    body = message.body
    request, fd = RasterRequest(**body["request"]), message.fd
    assert fd is not None
    try:
        if body["do"] == "inspect":
            return rasterizer.inspect(request, fd)
        if body["do"] == "add_text":
            assert message.attachment is not None
            return rasterizer.add_text(request, fd, message.attachment)
        return rasterizer.render(request, fd, int(body["index"]))
    except ServiceError as exc:
        return {"error": exc.code, "detail": exc.detail}, None
    except (MemoryError, cv2.error):  # what OpenCV calls its want of memory
        return {"error": DocumentTooCostlyError.code, "detail": _TOO_MUCH_MEMORY}, None
    except Exception:  # noqa: BLE001 - decoders raise anything on damaged input: it is the document
        rasterizer.forget()
        return {"error": InvalidDocumentError.code, "detail": "The document is damaged."}, None


def serve(sock: socket.socket) -> None:
    """Answer messages until the service hangs up."""
    rasterizer = Rasterizer()
    while (message := channel.receive(sock)) is not None:
        body, fd = answer(rasterizer, message)
        message.close()
        channel.send(sock, body, fd)
        if fd is not None:
            os.close(fd)


def restrict(memory_bytes: int) -> None:
    """Bound what a document can do to the machine, and end with the service however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pages_in_use = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages_in_use * resource.getpagesize() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What it hands back lies in memory files.
    resource.setrlimit(resource.RLIMIT_FSIZE, (memory_bytes, memory_bytes))


def main(fd: int, memory_bytes: int) -> None:
    """Run as a process of its own, on its end of a socket pair."""
    restrict(memory_bytes)
    # There is a process per core.
    cv2.setNumThreads(1)
    with socket.socket(fileno=fd) as sock:
        channel.send(sock, {"ready": True})
        # Decoders in C write what they find in a file to standard error.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stderr.fileno())
        serve(sock)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

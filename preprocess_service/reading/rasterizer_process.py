"""The program of the rasterizer's child processes, which open what strangers upload."""

from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pymupdf  # before pydantic: the process is 10 MB smaller for it

from preprocess_service.document import LINES, Page
from preprocess_service.errors import InvalidDocumentError, ResultTooLargeError, TooManyPagesError
from preprocess_service.page_range import select_pages
from preprocess_service.pages.enhance import enhance_page
from preprocess_service.pages.failures import document_error
from preprocess_service.pages.image_source import ImageSource
from preprocess_service.pages.media_types import PDF
from preprocess_service.pages.pdf_source import PdfSource
from preprocess_service.pages.source import PageSize, PageSource, RasterRequest, TextPage
from preprocess_service.problem import ServiceError
from preprocess_service.sandbox import channel
from preprocess_service.sandbox.worker import Answer, main
from preprocess_service.searchable.writer import write_searchable

# A page of a telephone book, word by word, takes 1 MB; the service holds its breath to read it.
_MAX_TEXT_BYTES = 2 << 20


class RasterizerProgram:
    """Answers one request at a time and keeps the last document open between them.

    `request` is the `RasterRequest`, `fd` the file of the document.
    """

    def __init__(self) -> None:
        self._document_id: str | None = None
        self._source: PageSource | None = None

    def answer(self, message: channel.Message) -> Answer:
        """The reply to one message; every failure of a document becomes one."""
        body = message.body
        request, fd = RasterRequest(**body["request"]), message.fd
        assert fd is not None
        try:
            if body["task"] == "inspect":
                return self.inspect(request, fd)
            if body["task"] == "add_text":
                assert message.attachment is not None
                return self.add_text(request, fd, message.attachment)
            return self.render(request, fd, int(body["index"]))
        except Exception as exc:  # noqa: BLE001 - all that a document can do is said of it
            if not isinstance(exc, ServiceError):
                self.forget()
            error = document_error(exc)
            return {"error": error.code, "detail": error.detail}, None

    def inspect(self, request: RasterRequest, fd: int) -> Answer:
        """Page count and metadata, and a file of [index, *PageSize] per page asked for."""
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

    def render(self, request: RasterRequest, fd: int, index: int) -> Answer:
        """Shape and resolution of a page, what was done to it, and a file of its pixels.

        Or size and resolution of a page that has text of its own, and a file of its lines.
        """
        source = self._open(request, fd)
        text = source.read_text(index)
        lines = LINES.dump_json(text.lines) if text else b""
        if text is not None and len(lines) <= _MAX_TEXT_BYTES:
            return _text_answer(text, lines)
        if request.text_layer == "only":
            raise ResultTooLargeError(_too_much_text(len(lines)))
        page = source.render(index)
        if request.enhance != "none":
            page = enhance_page(page, request.enhance, deskew=request.deskew)
        answer = {
            "shape": page.pixels.shape,
            "dpi": page.dpi,
            "enhancement": page.enhancement and asdict(page.enhancement),
            "frame": page.frame and asdict(page.frame),
        }
        return answer, channel.write_array(page.pixels)

    def add_text(self, request: RasterRequest, fd: int, pages: int) -> Answer:
        """A file of the searchable PDF; `pages` is a file of them as read, a row each."""
        self.forget()
        path = Path(f"/proc/self/fd/{fd}")
        with Path(f"/proc/self/fd/{pages}").open("rb") as rows:
            read = map(Page.model_validate_json, rows)
            return {}, channel.write_file(lambda file: write_searchable(path, request, read, file))

    def shrink(self) -> None:
        """Give back what MuPDF keeps of documents."""
        pymupdf.TOOLS.store_shrink(100)

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


def _text_answer(page: TextPage, lines: bytes) -> Answer:
    answer = {"text_bytes": len(lines), "size": asdict(page.size), "dpi": page.dpi}
    return answer, channel.write_array(np.frombuffer(lines, np.uint8))


def _too_much_text(json_bytes: int) -> str:
    return (
        f"The page's own text takes {json_bytes} bytes as JSON; allowed are {_MAX_TEXT_BYTES}. "
        "Without `words` it takes fewer; `text_layer=ignore` reads what is seen of it."
    )


def _claimed_size(source: PageSource, index: int) -> tuple[int, int, int]:
    """The size of a page; 0 by 0 where it cannot be told, so that the page fails alone."""
    try:
        size = source.size(index)
    except ServiceError:
        size = PageSize(0, 0)
    return min(size.width, 2**31), min(size.height, 2**31), size.reduction


if __name__ == "__main__":
    # There are as many processes as cores, and more.
    cv2.setNumThreads(1)
    main(RasterizerProgram)

"""PDF → pages, one at a time."""

import math
from pathlib import Path

import numpy as np
import pymupdf

from preprocess_service.errors import EncryptedDocumentError, InvalidDocumentError
from preprocess_service.pages.source import (
    PageSize,
    RasterPage,
    RasterRequest,
    TextPage,
    clip_text,
)
from preprocess_service.pages.text_layer import read_all_text, read_trusted_text

_POINTS_PER_INCH = 72
_COLORSPACE = 5  # its place in what PyMuPDF tells of an image
_GRAY_SPACES = {"DeviceGray", "CalGray"}
_METADATA = {
    "title": "title",
    "author": "author",
    "subject": "subject",
    "keywords": "keywords",
    "creator": "creator",
    "producer": "producer",
    "creationDate": "created",
    "modDate": "modified",
}

# MuPDF quotes the file in its messages, and nothing of an upload is logged.
pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)


def _is_gray_scan(page: pymupdf.Page) -> bool:
    """Whether the page shows nothing but images without color, as scanners make them.

    Text without ink, which scanners lay over their images, counts for nothing.
    """
    if page.first_annot is not None or page.first_widget is not None:
        return False
    shown = {kind for kind, _ in page.get_bboxlog()} - {"ignore-text"}
    images = page.get_images(full=True)
    return shown == {"fill-image"} and {image[_COLORSPACE] for image in images} <= _GRAY_SPACES


def open_pdf(path: Path, password: str | None) -> pymupdf.Document:
    """The PDF, readable.

    Raises:
        InvalidDocumentError: It cannot be read as one.
        EncryptedDocumentError: It needs a password, or another one.
    """
    try:
        pdf = pymupdf.Document(path, filetype="pdf")
    except (pymupdf.FileDataError, pymupdf.EmptyFileError) as exc:
        raise InvalidDocumentError("The PDF is damaged beyond repair.") from exc
    if pdf.needs_pass and not pdf.authenticate(password or ""):
        wrong = "the password given does not open it" if password else "give `password`"
        raise EncryptedDocumentError(f"The PDF is encrypted: {wrong}.")
    return pdf


class PdfSource:
    """A PDF, opened; MuPDF reads from the file what a page needs."""

    def __init__(self, path: Path, request: RasterRequest) -> None:
        self._request = request
        self._pdf = open_pdf(path, request.password)
        self.page_count = int(self._pdf.page_count)
        found = self._pdf.metadata or {}
        self.metadata = {
            name: clip_text(found[key]) for key, name in _METADATA.items() if found.get(key)
        }

    def size(self, index: int) -> PageSize:
        """The size of the page at the request's resolution, `/Rotate` and `CropBox` applied."""
        return self._size_of(self._load(index), self._request.dpi)

    def read_text(self, index: int) -> TextPage | None:
        """The page's own text, as far as `text_layer` of the request wants it."""
        wanted, dpi = self._request.text_layer, self._request.dpi
        if wanted == "ignore":
            return None
        page = self._load(index)
        size = self._size_of(page, dpi)
        read = read_all_text if wanted == "only" else read_trusted_text
        lines = read(page, dpi / _POINTS_PER_INCH, words=self._request.words)
        return None if lines is None else TextPage(lines, size, dpi)

    def render(self, index: int) -> RasterPage:
        """The page as pixels, annotations and form fields included."""
        page = self._load(index)
        dpi = self._choose_dpi()
        self._size_of(page, dpi).require_within(self._request.max_pixels)
        # A third of the bytes for every step from here on, and of the time to draw them.
        space = pymupdf.csGRAY if _is_gray_scan(page) else pymupdf.csRGB
        pixmap = page.get_pixmap(dpi=dpi, colorspace=space, alpha=False)
        # A copy: the memory of `samples_mv` goes with the pixmap.
        pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.h, pixmap.w, pixmap.n)
        # MuPDF keeps up to 256 MB of decoded images, of which the next page of a scan needs none.
        pymupdf.TOOLS.store_shrink(100)
        return RasterPage(pixels, dpi)

    def close(self) -> None:
        """Let go of the file, and of what MuPDF keeps of it."""
        self._pdf.close()
        pymupdf.TOOLS.store_shrink(100)

    def _load(self, index: int) -> pymupdf.Page:
        try:
            return self._pdf.load_page(index)
        except (RuntimeError, ValueError) as exc:
            raise InvalidDocumentError("The page is damaged beyond repair.") from exc

    def _choose_dpi(self) -> int:
        """The resolution of a page: the request's. The place where a scan's own may be taken."""
        return self._request.dpi

    @staticmethod
    def _size_of(page: pymupdf.Page, dpi: int) -> PageSize:
        width, height = float(page.rect.width), float(page.rect.height)
        if not (math.isfinite(width) and math.isfinite(height)) or min(width, height) <= 0:
            raise InvalidDocumentError("The page has no area.")
        scale = dpi / _POINTS_PER_INCH
        return PageSize(math.ceil(width * scale), math.ceil(height * scale))

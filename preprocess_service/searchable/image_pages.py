"""Images → pages of a PDF, without a change to what is seen."""

import io
from pathlib import Path

import pymupdf
from PIL import Image

from preprocess_service.document import Page
from preprocess_service.pages.image_source import ImageSource
from preprocess_service.pages.pixels import exif_orientation
from preprocess_service.pages.source import PixelsHwc, RasterRequest

_POINTS_PER_INCH = 72
# A PDF holds these as they are; all others have pages, colors or a compression that it lacks.
_KEPT = {"image/jpeg", "image/png", "image/jp2"}
# EXIF orientations that are turns, and by how many degrees; the others are mirrored.
_TURNS = {1: 0, 3: 180, 6: 270, 8: 90}


class ImagePages:
    """Puts frames of an image into a PDF, a page for each.

    Pixels are never compressed with losses: where a file type cannot stand in a PDF as it is, they
    are decoded and packed again.
    """

    def __init__(self, path: Path, request: RasterRequest) -> None:
        self.pdf = pymupdf.open()
        self._path = path
        self._source = ImageSource(path, request)
        self._turn = _find_turn(path) if request.media_type in _KEPT else None

    def take(self, read: Page) -> pymupdf.Page:
        """A new page with the frame that was read, as large as the image says it is printed."""
        width, height = read.width, read.height
        if read.rotation in (90, 270):
            width, height = height, width
        scale = _POINTS_PER_INCH / read.dpi
        page = self.pdf.new_page(width=max(width, 1) * scale, height=max(height, 1) * scale)
        if not read.problem:
            self._show(page, read.number - 1)
        return page

    def finish(self) -> None:
        """Let go of the image."""
        self._source.close()

    def _show(self, page: pymupdf.Page, index: int) -> None:
        if self._turn is None:
            stream = _pack(self._source.render(index).pixels)
            page.insert_image(page.rect, stream=stream, keep_proportion=False)
        else:
            page.insert_image(
                page.rect, filename=self._path, rotate=self._turn, keep_proportion=False
            )


def _find_turn(path: Path) -> int | None:
    """The counterclockwise turn of the file's pixels in degrees; None if mirrored."""
    with Image.open(path) as image:
        return _TURNS.get(exif_orientation(image))


def _pack(pixels: PixelsHwc) -> bytes:
    """The pixels as PNG, of one bit where there are no grays."""
    if pixels.shape[2] == 1:
        image = Image.fromarray(pixels[:, :, 0])
        if ((pixels == 0) | (pixels == 255)).all():
            image = image.convert("1", dither=Image.Dither.NONE)
    else:
        image = Image.fromarray(pixels)
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()

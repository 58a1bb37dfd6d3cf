"""Images → pages of a PDF, without a change to what is seen."""

import io
from collections.abc import Sequence
from pathlib import Path

import pymupdf
from PIL import ExifTags, Image

from preprocess_service.document import Page
from preprocess_service.imaging.decode import ImageSource
from preprocess_service.imaging.raster import PixelsHwc, RasterRequest

_POINTS_PER_INCH = 72
# A PDF holds these as they are; all others have pages, colors or a compression that it lacks.
_KEPT = {"image/jpeg", "image/png", "image/jp2"}
# EXIF orientations that are turns, and by how many degrees; the others are mirrored.
_TURNS = {1: 0, 3: 180, 6: 270, 8: 90}


def pdf_from_image(path: Path, request: RasterRequest, pages: Sequence[Page]) -> pymupdf.Document:
    """A PDF with one page for each of `pages`, as large as the image says that it is printed.

    Pixels are never compressed with losses: where a file type cannot stand in a PDF as it is, they
    are decoded and packed again.
    """
    source = ImageSource(path, request)
    pdf = pymupdf.open()
    try:
        for read in pages:
            width, height = read.width, read.height
            if read.rotation in (90, 270):
                width, height = height, width
            scale = _POINTS_PER_INCH / read.dpi
            page = pdf.new_page(width=width * scale, height=height * scale)
            if not read.problem:
                _show(page, path, request, source, read.number - 1)
    finally:
        source.close()
    return pdf


def _show(
    page: pymupdf.Page, path: Path, request: RasterRequest, source: ImageSource, index: int
) -> None:
    turn = _find_turn(path) if request.media_type in _KEPT else None
    if turn is None:
        stream = _pack(source.render(index).pixels)
        page.insert_image(page.rect, stream=stream, keep_proportion=False)
    else:
        page.insert_image(page.rect, filename=path, rotate=turn, keep_proportion=False)


def _find_turn(path: Path) -> int | None:
    """By how many degrees counterclockwise the file's pixels are turned; None if mirrored."""
    try:
        with Image.open(path) as image:
            return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - damaged EXIF data raises anything; it is then not followed
        return 0


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

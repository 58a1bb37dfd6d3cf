"""Image files → pages; every frame of a TIFF, GIF or WebP is one."""

import math
from dataclasses import replace
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from pillow_heif import register_heif_opener

from preprocess_service.errors import InvalidDocumentError, PageTooLargeError
from preprocess_service.pages.frames import page_frame
from preprocess_service.pages.media_types import IMAGE_FORMATS
from preprocess_service.pages.pixels import is_on_its_side, to_pixels
from preprocess_service.pages.reduction import (
    choose_reduction,
    most_reduction,
    reduce_decoding,
)
from preprocess_service.pages.source import (
    PageFrame,
    PageSize,
    PixelsHwc,
    RasterPage,
    RasterRequest,
    TextPage,
    clip_text,
)

# Others carry previews, bursts or animations beside the one picture that is meant.
_PAGED_FORMATS = {"TIFF", "GIF", "WEBP"}
_PLAUSIBLE_DPI = range(30, 2401)

# The pixel count is checked here, by the service's own limit, with an error of its own.
Image.MAX_IMAGE_PIXELS = None
register_heif_opener()


class ImageSource:
    """An image file, opened; frames are decoded one at a time."""

    def __init__(self, path: Path, request: RasterRequest) -> None:
        self._request = request
        image_format = IMAGE_FORMATS[request.media_type]
        # A file, not its path: Pillow maps plain TIFFs that it has a path of, and forgets to turn
        # those by their orientation.
        self._file = path.open("rb")
        self._format = image_format
        self._image = self._open()
        self._require_readable()
        self._is_paged = image_format in _PAGED_FORMATS
        self.page_count = self._count_frames() if self._is_paged else 1
        self.metadata: dict[str, str] = {}
        if isinstance(title := self._image.info.get("Title"), str):
            self.metadata["title"] = clip_text(title)

    def size(self, index: int) -> PageSize:
        """What the file claims of that frame, and how much smaller that is read."""
        self._seek(index)
        return self._frame_size()

    def read_text(self, index: int) -> TextPage | None:
        """The text of the page: None, as an image has no text of its own."""

    def render(self, index: int) -> RasterPage:
        """The frame as pixels; raises PageTooLargeError before anything of it is decoded."""
        self._seek(index)
        size, dpi = self._require_readable(), self._dpi()
        pixels = to_pixels(self._image, reduce_decoding(self._image, size.reduction))
        if not self._is_paged:
            # Lets go of its pixels, and of the size that it has as decoded.
            self._image = self._open()
        return RasterPage(pixels, dpi, frame=_frame(size, pixels))

    def close(self) -> None:
        """Let go of the file."""
        self._image.close()
        self._file.close()

    def _seek(self, index: int) -> None:
        if self._image.tell() != index:
            self._image.seek(index)

    def _open(self) -> Image.Image:
        self._file.seek(0)
        try:
            return Image.open(self._file, formats=[self._format])
        except UnidentifiedImageError as exc:
            raise InvalidDocumentError(f"The {self._format} file is damaged.") from exc

    def _frame_size(self) -> PageSize:
        """The size of the frame as displayed; its reduction is 1 where it cannot be read."""
        width, height = self._image.size
        if is_on_its_side(self._image):
            width, height = height, width
        return PageSize(width, height, self._reduction() or 1)

    def _reduction(self) -> int | None:
        return choose_reduction(self._image, self._request.max_pixels)

    def _require_readable(self) -> PageSize:
        size = self._frame_size()
        if self._reduction() is None:
            most = most_reduction(self._image, self._request.max_pixels)
            replace(size, reduction=most).require_within(self._request.max_pixels)
            raise PageTooLargeError(
                f"The page has {size.width} by {size.height} pixels; decoding it takes more memory "
                "than allowed, however much smaller it is read (RASTERIZER_MEMORY_MB)."
            )
        return size

    def _count_frames(self) -> int:
        return int(getattr(self._image, "n_frames", 1))

    def _dpi(self) -> int:
        """What the file says where that is plausible, else the request's."""
        value = self._image.info.get("dpi", (0, 0))[0]
        plausible = math.isfinite(value) and round(float(value)) in _PLAUSIBLE_DPI
        return round(float(value)) if plausible else self._request.dpi


def _frame(size: PageSize, pixels: PixelsHwc) -> PageFrame | None:
    """Where the pixels lie in a page that was read smaller."""
    height, width = pixels.shape[:2]
    if size.reduction == 1:
        return None
    to_page = (size.width / width, 0.0, 0.0, 0.0, size.height / height, 0.0)
    return page_frame(PageSize(size.width, size.height), to_page)

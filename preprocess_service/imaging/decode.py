"""Image files → pages; every frame of a TIFF, GIF or WebP is one."""

import math
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from pillow_heif import register_heif_opener

from preprocess_service.errors import InvalidDocumentError
from preprocess_service.imaging.pixels import to_pixels
from preprocess_service.imaging.raster import (
    PageSize,
    RasterPage,
    RasterRequest,
    TextPage,
    clip_text,
)
from preprocess_service.imaging.sniff import IMAGE_FORMATS

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
        try:
            self._image = Image.open(self._file, formats=[image_format])
        except UnidentifiedImageError as exc:
            raise InvalidDocumentError(f"The {image_format} file is damaged.") from exc
        self._frame_size().require_within(request.max_pixels)
        self.page_count = self._count_frames() if image_format in _PAGED_FORMATS else 1
        self.metadata: dict[str, str] = {}
        if isinstance(title := self._image.info.get("Title"), str):
            self.metadata["title"] = clip_text(title)

    def size(self, index: int) -> PageSize:
        """What the file claims of that frame."""
        self._seek(index)
        return self._frame_size()

    def read_text(self, index: int) -> TextPage | None:
        """None: an image has no text of its own."""

    def render(self, index: int) -> RasterPage:
        """The frame as pixels; raises PageTooLargeError before anything of it is decoded."""
        self._seek(index)
        self._frame_size().require_within(self._request.max_pixels)
        return RasterPage(to_pixels(self._image), self._dpi())

    def close(self) -> None:
        """Let go of the file."""
        self._image.close()
        self._file.close()

    def _seek(self, index: int) -> None:
        if self._image.tell() != index:
            self._image.seek(index)

    def _frame_size(self) -> PageSize:
        return PageSize(*self._image.size)

    def _count_frames(self) -> int:
        return int(getattr(self._image, "n_frames", 1))

    def _dpi(self) -> int:
        """What the file says where that is plausible, else the request's."""
        value = self._image.info.get("dpi", (0, 0))[0]
        plausible = math.isfinite(value) and round(float(value)) in _PLAUSIBLE_DPI
        return round(float(value)) if plausible else self._request.dpi

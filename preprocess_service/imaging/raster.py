"""The words that the service and its rasterizing processes exchange."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from preprocess_service.errors import PageTooLargeError

PixelsHwc = npt.NDArray[np.uint8]

# OpenCV's warps, through which every line of a page goes, count in 16 bits.
MAX_SIDE_PIXELS = 32_766


@dataclass(frozen=True)
class RasterRequest:
    """One document and how its pages become pixels; goes to every process that draws one of them.

    Attributes:
        document_id: Names the document among those in work, so that a process knows what it
            already has open.
        dpi: Resolution at which pages of a PDF are drawn.
    """

    document_id: str
    media_type: str
    dpi: int
    max_pages: int
    max_pixels: int
    page_range: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class PageSize:
    """Pixels that a page will have; what its file claims, before anything is decoded."""

    width: int
    height: int

    @property
    def rgb_bytes(self) -> int:
        """Memory of the page as pixels."""
        return self.width * self.height * 3

    def require_within(self, max_pixels: int) -> None:
        """Refuse a page that is too large to be decoded or drawn.

        Raises:
            PageTooLargeError: It has too many pixels, or a side is too long.
        """
        if self.width * self.height > max_pixels or max(self.width, self.height) > MAX_SIDE_PIXELS:
            raise PageTooLargeError(
                f"The page has {self.width} by {self.height} pixels; allowed are {max_pixels} "
                f"(MAX_PIXELS) and {MAX_SIDE_PIXELS} a side. A lower dpi helps with a PDF."
            )


@dataclass(frozen=True)
class DocumentInfo:
    """What is known of a document before its pages are decoded.

    Attributes:
        page_count: Pages of the file.
        page_indices: Those asked for, from 0, in order.
        sizes: Of the pages asked for, in that order.
        metadata: Title, author and the like, as far as the file says.
    """

    page_count: int
    page_indices: Sequence[int]
    sizes: Sequence[PageSize]
    metadata: dict[str, str]


@dataclass(frozen=True)
class RasterPage:
    """One page as the reader sees it, rows x columns x 3 (RGB) or x 1 (gray)."""

    pixels: PixelsHwc
    dpi: int


class PageSource(Protocol):
    """An open document inside a rasterizing process."""

    page_count: int
    metadata: dict[str, str]

    def size(self, index: int) -> PageSize:
        """What the file claims of that page; decodes nothing."""
        ...

    def render(self, index: int) -> RasterPage:
        """The page as pixels.

        Raises:
            PageTooLargeError: It claims more pixels than are allowed.
            InvalidDocumentError: It cannot be decoded.
        """
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def clip_text(value: Any) -> str:
    """A metadata value short enough to be passed on, without control characters."""
    return "".join(char for char in str(value)[:1000] if char.isprintable()).strip()

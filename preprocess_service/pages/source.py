"""A page source and its values: what the service and the rasterizing processes exchange."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from preprocess_service.document import Line
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
        caller: Whose it is, for taking turns.
        dpi: Resolution at which pages of a PDF are drawn.
        enhance: What may be done to the pixels: a level of `enhance.RECIPES`, or `none`.
        deskew: Whether the lines are levelled too, where that level does not.
        text_layer: Of PDFs: `auto` and `only` take a page's own text, where it can be trusted and
            in any case; `ignore` takes the pixels.
        scrub: Whether a searchable PDF leaves out what the PDF does and carries beside its pages.
        words: Whether the lines of a page's own text carry their words.
    """

    document_id: str
    media_type: str
    dpi: int
    max_pages: int
    max_pixels: int
    caller: str = ""
    page_range: str | None = None
    password: str | None = None
    enhance: str = "none"
    text_layer: str = "ignore"
    words: bool = False
    scrub: bool = False
    deskew: bool = False


@dataclass(frozen=True)
class PageSize:
    """Pixels that a page has; what its file claims, before anything is decoded.

    Attributes:
        width: Of the page.
        height: Of the page.
        reduction: How many of its pixels a side become one that is read.
    """

    width: int
    height: int
    reduction: int = 1

    @property
    def rgb_bytes(self) -> int:
        """The memory of the pixels that are read."""
        return math.prod(self.read) * 3

    @property
    def read(self) -> tuple[int, int]:
        """The width and height at which the page is read."""
        return math.ceil(self.width / self.reduction), math.ceil(self.height / self.reduction)

    def is_within(self, max_pixels: int) -> bool:
        """Whether so many pixels can be read."""
        return math.prod(self.read) <= max_pixels and max(self.read) <= MAX_SIDE_PIXELS

    def require_within(self, max_pixels: int) -> None:
        """Refuse a page that is too large to be decoded or drawn.

        Raises:
            PageTooLargeError: It has too many pixels, or a side is too long.
        """
        if not self.is_within(max_pixels):
            raise PageTooLargeError(
                f"The page has {self.width} by {self.height} pixels; allowed are {max_pixels} "
                f"(MAX_PIXELS) and {MAX_SIDE_PIXELS} a side. A lower dpi helps with a PDF, JPEG "
                "with an image: it is decoded smaller."
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
class Quality:
    """How well a page can be seen, measured before anything is done to it.

    Attributes:
        blur: Sigma in pixels of the Gaussian that its edges look blurred with; up to 0.6 is sharp.
            None where there are no edges.
        noise: Standard deviation, in gray levels of 255, of what changes from pixel to pixel where
            the page is flattest.
        contrast: Share (0 to 1) of the way from black to white that lies between ink and paper.
            None on a blank page.
        skew: Degrees by which the lines of text fall to the right, -15 to 15. None where no lines
            were found.
    """

    blur: float | None
    noise: float
    contrast: float | None
    skew: float | None


@dataclass(frozen=True)
class Enhancement:
    """What was measured of a page and done to it.

    Attributes:
        applied: Names of the steps, in order.
        milliseconds: What both took.
    """

    quality: Quality
    applied: tuple[str, ...]
    milliseconds: float

    @classmethod
    def from_json(cls, body: dict[str, Any] | None) -> "Enhancement | None":
        """What `dataclasses.asdict` made a message of."""
        if body is None:
            return None
        return cls(
            quality=Quality(**body["quality"]),
            applied=tuple(body["applied"]),
            milliseconds=body["milliseconds"],
        )


@dataclass(frozen=True)
class PageFrame:
    """The page as the reader sees it, to which pixels belong that were shrunk or turned.

    Attributes:
        size: Of that page.
        to_page: The affine map, row by row, from the pixels to it.
    """

    size: PageSize
    to_page: tuple[float, ...]

    @classmethod
    def from_json(cls, body: dict[str, Any] | None) -> "PageFrame | None":
        """What `dataclasses.asdict` made a message of."""
        return None if body is None else cls(PageSize(**body["size"]), tuple(body["to_page"]))


@dataclass(frozen=True)
class RasterPage:
    """One page as pixels, rows x columns x 3 (RGB) or x 1 (gray).

    As the reader sees it where `frame` is None.
    """

    pixels: PixelsHwc
    dpi: int
    enhancement: Enhancement | None = None
    frame: PageFrame | None = None

    @property
    def size(self) -> PageSize:
        """The size of the page as displayed."""
        return self.frame.size if self.frame else self.pixels_size

    @property
    def pixels_size(self) -> PageSize:
        """The size of the pixels, which deskewing makes more than the page has."""
        height, width = self.pixels.shape[:2]
        return PageSize(width, height)


@dataclass(frozen=True)
class TextPage:
    """One page whose own text stands for its pixels, in the frame that its pixels would have."""

    lines: tuple[Line, ...]
    size: PageSize
    dpi: int


class PageSource(Protocol):
    """An open document inside a rasterizing process."""

    page_count: int
    metadata: dict[str, str]

    def size(self, index: int) -> PageSize:
        """What the file claims of that page; decodes nothing."""
        ...

    def read_text(self, index: int) -> TextPage | None:
        """The page's own text; None where its pixels are to be read instead.

        Raises:
            InvalidDocumentError: The page is damaged.
            PageTooLargeError: It has too many characters.
        """
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

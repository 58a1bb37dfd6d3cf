"""What reading a document yields, whatever engine read it and whatever format it is written in."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from preprocess_service.problem import Problem

Point = tuple[float, float]
Polygon = tuple[Point, Point, Point, Point]
BoundingBox = tuple[float, float, float, float]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Word(_Frozen):
    """One word of a line; text without spaces (Chinese, Japanese) is one word per run."""

    text: str = Field(examples=["Invoice"])
    confidence: float = Field(ge=0, le=1, examples=[0.98])
    polygon: Polygon = Field(
        description="Like the line's.",
        examples=[[[72.0, 80.0], [190.0, 80.0], [190.0, 104.0], [72.0, 104.0]]],
    )
    bbox: BoundingBox = Field(
        description="x0, y0, x1, y1 around the polygon.", examples=[[72.0, 80.0, 190.0, 104.0]]
    )


class Line(_Frozen):
    """One line of text on a page."""

    text: str = Field(examples=["Invoice 2024-117"])
    confidence: float = Field(ge=0, le=1, examples=[0.98])
    polygon: Polygon = Field(
        description="Clockwise from the reading top-left, in pixels of the page as read.",
        examples=[[[72.0, 80.0], [310.5, 80.0], [310.5, 104.0], [72.0, 104.0]]],
    )
    bbox: BoundingBox = Field(
        description="x0, y0, x1, y1 around the polygon.", examples=[[72.0, 80.0, 310.5, 104.0]]
    )
    row: int | None = Field(
        default=None,
        ge=1,
        description="Number of its row on the page, from 1: lines that stand side by side share "
        "one. Null where an earlier version read it.",
        examples=[1],
    )
    words: tuple[Word, ...] | None = Field(
        default=None,
        description="In reading order, with `words` only. Joined by spaces they are the text.",
    )


#: Lines as they travel between processes.
LINES: TypeAdapter[tuple[Line, ...]] = TypeAdapter(tuple[Line, ...])


class Quality(_Frozen):
    """How well the page can be seen, measured before it was enhanced."""

    blur: float | None = Field(
        ge=0,
        description="Pixels: sigma of the Gaussian that its edges look blurred with; up to 0.6 is "
        "sharp. Null without edges.",
        examples=[0.45],
    )
    noise: float = Field(
        ge=0,
        description="Standard deviation of the grain where the page is flattest, of 255.",
        examples=[1.2],
    )
    contrast: float | None = Field(
        ge=0, le=1, description="Between ink and paper; 1: black on white. Null on a blank page."
    )
    skew: float | None = Field(
        description="Degrees by which the lines fall to the right, -15 to 15. Null without lines."
    )


class Page(_Frozen):
    """One page. Pixels are those of the page as the reader sees it, rotation applied, at `dpi`."""

    number: int = Field(ge=1, description="Position in the document, from 1; never shifts.")
    width: int = Field(ge=0, description="Pixels.")
    height: int = Field(ge=0, description="Pixels.")
    dpi: int = Field(ge=1, description="Pixels per inch; of an image: what its file says.")
    rotation: int = Field(description="Degrees clockwise that turned the page upright.")
    skew_degrees: float | None = Field(description="Null where it was not measured.")
    source: Literal["ocr", "text_layer"]
    text: str = Field(
        description="The rows in reading order, one below the other; parts of a row that stand in "
        "columns are divided by a tab. With `rows=false` one line below the other."
    )
    confidence: float | None = Field(
        description="Mean of the lines' confidence, weighted by their length; null without lines."
    )
    quality: Quality | None = Field(
        default=None, description="Null where it was not measured: with `enhance` none."
    )
    enhanced: tuple[str, ...] = Field(default=(), description="Enhancements that were applied.")
    lines: tuple[Line, ...]
    lines_omitted: int = Field(
        default=0, ge=0, description="Lines left out because of `confidence_threshold`."
    )
    problem: Problem | None = Field(default=None, description="Why this page could not be read.")


class ProcessingTime(_Frozen):
    """Milliseconds; the stages are summed over pages, so together they can exceed `total`."""

    rasterize: float = Field(description="Decoding or drawing the pages, waiting included.")
    enhance: float = Field(description="Measuring the pages' quality and enhancing them.")
    inference: float = Field(description="From sending a page to Triton to its lines.")
    format: float = Field(description="Making the document out of the lines.")
    total: float = Field(description="From the complete upload to the finished document.")


class Metadata(_Frozen):
    """What the file says about itself."""

    media_type: str = Field(examples=["application/pdf"])
    pages: int = Field(ge=1, description="Pages of the file, read or not.")
    title: str | None = None
    author: str | None = None
    subject: str | None = None
    keywords: str | None = None
    creator: str | None = None
    producer: str | None = None
    created: str | None = Field(default=None, description="As written in the file.")
    modified: str | None = Field(default=None, description="As written in the file.")


class Document(_Frozen):
    """The answer to one document."""

    request_id: str
    status: Literal["succeeded", "partial"] = Field(
        description="`partial`: at least one page carries a `problem`."
    )
    release: int = Field(description="Release of the models that read it.")
    strategy: str
    language: tuple[str, ...] = Field(description="As used, empty for any language.")
    processing_ms: ProcessingTime
    cache_hit: bool = Field(
        default=False,
        description="Not read for this request: kept from an equal one, or shared with one "
        "under way.",
    )
    metadata: Metadata
    text: str | None = Field(
        default=None, description="The text of all pages, with `merge_pages` only."
    )
    pages: tuple[Page, ...]

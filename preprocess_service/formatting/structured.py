"""Documents as JSON of blocks: what belongs together, in reading order."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from preprocess_service.document import BoundingBox, Document, Line, Metadata, Page
from preprocess_service.formatting.characters import join_lines
from preprocess_service.formatting.layout import Block, BlockKind, body_height, find_blocks
from preprocess_service.problem import Problem


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class StructuredBlock(_Frozen):
    """Lines that belong together, judged by where they stand and how large they are."""

    kind: BlockKind = Field(
        description="`heading`: one or two lines larger than the body text; `list`: lines with "
        "bullets or numbers; `table`: two or more rows of cells side by side; else `paragraph`."
    )
    level: int | None = Field(description="Of a heading: 1, 2 or 3, by its size.")
    text: str = Field(
        description="Running text; of a list one item per row, of a table one row per row with "
        "tabs between cells.",
        examples=["A paragraph without its line breaks."],
    )
    bbox: BoundingBox = Field(description="x0, y0, x1, y1 around its lines.")
    parts: tuple[tuple[Line, ...], ...] = Field(
        description="The lines: of a table by row, of a list by item, else all in one part."
    )


class StructuredPage(_Frozen):
    """One page; pixels as in the JSON document."""

    number: int = Field(ge=1)
    width: int
    height: int
    dpi: int
    rotation: int
    source: Literal["ocr", "text_layer"]
    confidence: float | None
    blocks: tuple[StructuredBlock, ...] = Field(
        description="In reading order: a column before the column beside it."
    )
    lines_omitted: int
    problem: Problem | None


class StructuredDocument(_Frozen):
    """A document as blocks."""

    request_id: str
    status: Literal["succeeded", "partial"]
    release: int
    strategy: str
    language: tuple[str, ...]
    metadata: Metadata
    pages: tuple[StructuredPage, ...]


def write_structured(document: Document) -> bytes:
    """The document as JSON of blocks.

    Written page by page: nothing else runs while one is written.
    """
    body = body_height(document)
    shared = _shared(StructuredDocument, document) | {"pages": ()}
    head = StructuredDocument(**shared).model_dump_json(exclude={"pages"}).removesuffix("}")
    pages = (_structure(page, body).model_dump_json().encode() for page in document.pages)
    return b"".join((head.encode(), b',"pages":[', b",".join(pages), b"]}"))


def _structure(page: Page, body: float) -> StructuredPage:
    blocks = tuple(_describe(block) for block in find_blocks(page, body))
    return StructuredPage(**_shared(StructuredPage, page), blocks=blocks)


def _describe(block: Block) -> StructuredBlock:
    return StructuredBlock(
        kind=block.kind,
        level=block.level,
        text=block_text(block),
        bbox=block.bbox,
        parts=block.parts,
    )


def block_text(block: Block) -> str:
    """What the block says: a row for each item of a list and each row of a table."""
    if block.kind == "table":
        return "\n".join("\t".join(join_lines([cell]) for cell in row) for row in block.parts)
    return "\n".join(join_lines(part) for part in block.parts)


def _shared(model: type[BaseModel], source: BaseModel) -> dict[str, object]:
    """The members that both have."""
    return {name: getattr(source, name) for name in model.model_fields if hasattr(source, name)}

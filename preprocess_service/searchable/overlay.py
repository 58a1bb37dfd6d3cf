"""The text of a page as PDF operators that draw nothing."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pymupdf

from preprocess_service.document import Line, Page, Point, Polygon
from preprocess_service.geometry import place
from preprocess_service.searchable.bidi import is_right_to_left, visual_runs
from preprocess_service.searchable.invisible_font import InvisibleFont

_POINTS_PER_INCH = 72
_INVISIBLE = 3

# As PDF writes matrices: a, b, c, d, e, f.
_Frame = tuple[float, ...]


@dataclass(frozen=True)
class _Piece:
    """A line or a word, and on which side of it a space parts it from the next."""

    text: str
    polygon: Polygon
    space: Literal["none", "left", "right"] = "none"


def draw_lines(
    lines: Sequence[Line], font: InvisibleFont, font_name: str, frame: pymupdf.Matrix
) -> bytes:
    """Operators that write the lines, word by word where they carry their words.

    Args:
        lines: In reading order.
        font: Learns the characters.
        font_name: Of the font in the page's resources.
        frame: From the lines' pixels to the page's user space.
    """
    shown = [
        operators
        for line in lines
        for piece in _pieces(line)
        for operators in _show(piece, font, font_name, tuple(frame))
    ]
    return "\n".join(["q", f"BT {_INVISIBLE} Tr", *shown, "ET Q\n"]).encode("ascii")


def read_to_points(read: Page) -> pymupdf.Matrix:
    """The matrix from pixels of a page as read to points of the PDF page as displayed."""
    turn_back = {
        0: pymupdf.Matrix(1, 0, 0, 1, 0, 0),
        90: pymupdf.Matrix(0, -1, 1, 0, 0, read.width),
        180: pymupdf.Matrix(-1, 0, 0, -1, read.width, read.height),
        270: pymupdf.Matrix(0, 1, -1, 0, read.height, 0),
    }[read.rotation]
    scale = _POINTS_PER_INCH / read.dpi
    return turn_back * pymupdf.Matrix(scale, scale)


def user_to_points(page: pymupdf.Page) -> pymupdf.Matrix:
    """The matrix from the user space of a PDF page to its points as displayed.

    PyMuPDF's own matrices leave out the origin of a `CropBox` where there is a `/Rotate`.
    """
    box, matrix = pymupdf.mupdf.FzRect(), pymupdf.mupdf.FzMatrix()
    pymupdf.mupdf.pdf_page_transform(pymupdf.mupdf.pdf_page_from_fz_page(page.this), box, matrix)
    return pymupdf.Matrix(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)


def _pieces(line: Line) -> Iterator[_Piece]:
    if not line.words:
        yield _Piece(_writable(line.text), line.polygon)
        return
    side: Literal["left", "right"] = "left" if is_right_to_left(line.text) else "right"
    for word in line.words[:-1]:
        yield _Piece(_writable(word.text), word.polygon, side)
    yield _Piece(_writable(line.words[-1].text), line.words[-1].polygon)


def _writable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


def _show(piece: _Piece, font: InvisibleFont, font_name: str, frame: _Frame) -> Iterator[str]:
    """The operators of a piece; none where it has no width or no height."""
    placed = place(piece.text, piece.polygon)
    (left, foot), along, up = (
        _map(placed.origin, frame),
        _map(placed.along, frame[:4]),
        _map(placed.up, frame[:4]),
    )
    size, length, natural = math.hypot(*up), math.hypot(*along), font.width(piece.text)
    if min(size, length, natural) <= 0:
        return
    axes = " ".join(
        f"{value:.5f}"
        for value in (along[0] / length, along[1] / length, up[0] / size, up[1] / size)
    )
    scale = 100 * length / (natural * size)
    for ems, text in _runs(piece, font):
        x, y = left + along[0] * ems / natural, foot + along[1] * ems / natural
        yield (
            f"/{font_name} {size:.3f} Tf {scale:.3f} Tz "
            f"{axes} {x:.3f} {y:.3f} Tm {font.encode(text)} Tj"
        )


def _map(point: Point, frame: _Frame) -> Point:
    """The point, or with a frame that does not move, the vector."""
    a, b, c, d, *origin = frame
    e, f = origin or (0.0, 0.0)
    return a * point[0] + c * point[1] + e, b * point[0] + d * point[1] + f


def _runs(piece: _Piece, font: InvisibleFont) -> Iterator[tuple[float, str]]:
    """How many font sizes behind the start of the piece to write what."""
    runs = visual_runs(piece.text)
    if len(runs) == 1 and piece.space == "right":
        runs = [("", f"{runs[0][1]} ")]
    elif piece.space == "right":
        runs.append((piece.text, " "))
    for before, text in runs:
        yield font.width(before), text
    if piece.space == "left":
        yield -font.width(" "), " "

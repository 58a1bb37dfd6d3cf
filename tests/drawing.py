"""Pages with known text, drawn by code."""

import difflib
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pymupdf

Image = npt.NDArray[np.uint8]

WORDS = [
    "window",
    "market",
    "yellow",
    "river",
    "garden",
    "silver",
    "doctor",
    "planet",
    "winter",
    "bridge",
    "copper",
    "forest",
    "button",
    "candle",
    "engine",
    "finger",
    "guitar",
    "hammer",
    "island",
    "jacket",
    "kitten",
    "ladder",
    "mirror",
    "needle",
]


def sentence(index: int, words: int = 5) -> str:
    """A line of plain words, different for each index."""
    return " ".join(WORDS[(index * 7 + i * 5) % len(WORDS)] for i in range(words))


def draw_pdf(pages: list[list[str]], size: float = 12) -> bytes:
    """A PDF with one line of text below the other on each page."""
    document = pymupdf.open()
    for lines in pages:
        page = document.new_page()
        for i, line in enumerate(lines):
            page.insert_text((60, 70 + 2 * size * i), line, fontsize=size)
    return bytes(document.tobytes())


def draw_page(lines: list[str], dpi: int = 120, size: float = 12) -> Image:
    """The same as RGB pixels."""
    with pymupdf.open(stream=draw_pdf([lines], size)) as document:
        pixmap = document[0].get_pixmap(dpi=dpi, alpha=False)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.h, pixmap.w, 3).copy()


def to_png(pixels: Image) -> bytes:
    """The pixels as a PNG file."""
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def assert_reads(lines: Sequence[str], expected: Sequence[str]) -> None:
    """Every line is there, in order; of all characters at most one in fifty is wrong."""
    assert len(lines) == len(expected), lines
    for line, truth in zip(lines, expected, strict=True):
        assert _likeness(line, truth) > 0.8, (line, truth)
    assert _likeness("\n".join(lines), "\n".join(expected)) > 0.98, lines


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()

"""Image files of any size with any number of lines."""

import math
from pathlib import Path

import cv2
import numpy as np
import pymupdf

from quality.drawn.texts import RIGHTS

_PAGE_WIDTH, _PAGE_HEIGHT, _MARGIN = 595, 842, 30
_LONGEST_LINE_PITCH = 16.0


def draw_image(path: Path, *, megapixels: float, lines: int) -> Path:
    """Write a gray JPEG of about so many megapixels with so many lines; returns its path.

    Up to 40 lines stand in one column, more in several; their type shrinks with their pitch.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    dpi = 72 * math.sqrt(megapixels * 1e6 / (_PAGE_WIDTH * _PAGE_HEIGHT))
    with pymupdf.open() as document:
        page = document.new_page(width=_PAGE_WIDTH, height=_PAGE_HEIGHT)
        _write_lines(page, lines)
        pixmap = page.get_pixmap(dpi=round(dpi), colorspace=pymupdf.csGRAY)
    gray = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
    cv2.imwrite(str(path), gray, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return path


def _write_lines(page: pymupdf.Page, lines: int) -> None:
    words = " ".join(" ".join(RIGHTS[code]) for code in ("de", "fr", "es")).split()
    columns = max(1, math.ceil(math.sqrt(lines / 40)))
    rows = math.ceil(lines / columns)
    pitch = min(_LONGEST_LINE_PITCH, (_PAGE_HEIGHT - 2 * _MARGIN) / max(rows, 1))
    width = (_PAGE_WIDTH - 2 * _MARGIN) / columns
    size = 0.65 * pitch
    for number in range(lines):
        column, row = divmod(number, rows)
        at = (_MARGIN + column * width, _MARGIN + (row + 1) * pitch)
        page.insert_text(at, _line(words, 3 * number, 0.9 * width, size), fontsize=size)


def _line(words: list[str], start: int, width: float, size: float) -> str:
    line = words[start % len(words)]
    for i in range(1, 12):
        longer = f"{line} {words[(start + i) % len(words)]}"
        if pymupdf.get_text_length(longer, fontsize=size) > width:
            break
        line = longer
    return line

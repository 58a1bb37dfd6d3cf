"""Dense scans as offices make them: PDFs of black and white pages, 300 dpi, CCITT group 4."""

from pathlib import Path

import cv2
import numpy as np
import pymupdf
from PIL import Image as PillowImage

from quality.drawn.texts import RIGHTS

DPI = 300
LETTER_SIZE = pymupdf.Rect(0, 0, 612, 792)
"""In points."""

LINES, CHARACTERS = 43, 62
"""Of a page: 43 lines of 62 characters are 2,650, the average of 918 real scanned pages."""

MOST_DIFFERENT = 25

_LEFT, _TOP, _LEADING, _FONT_SIZE = 60, 70, 15.4, 12


def draw_scan(path: Path, pages: int) -> Path:
    """Write a PDF of so many dense pages, the first 25 with text of their own; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    different = [_scan(_page_lines(number)) for number in range(min(pages, MOST_DIFFERENT))]
    first, *rest = [different[number % MOST_DIFFERENT] for number in range(pages)]
    first.save(path, "PDF", resolution=DPI, save_all=True, append_images=rest)
    return path


def _page_lines(number: int) -> list[str]:
    words = " ".join(" ".join(RIGHTS[code]) for code in ("de", "fr", "es")).split()
    words = words[7 * number % len(words) :] + words
    lines = [""]
    for word in words * 4:
        if len(lines[-1]) + len(word) > CHARACTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:LINES]


def _scan(lines: list[str]) -> PillowImage.Image:
    with pymupdf.open() as document:
        page = document.new_page(width=LETTER_SIZE.width, height=LETTER_SIZE.height)
        for row, line in enumerate(lines):
            at = (_LEFT, _TOP + row * _LEADING)
            page.insert_text(at, line, fontname="tiro", fontsize=_FONT_SIZE)
        pixmap = page.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
    gray = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
    size = (gray.shape[1], gray.shape[0])
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), 0.3, 1.0)
    skewed = cv2.warpAffine(gray, turn, size, borderValue=(255,))
    noise = np.random.default_rng(1).normal(0, 25, gray.shape)
    return PillowImage.fromarray(np.where(skewed + noise < 128, 0, 255).astype(np.uint8)).convert(
        "1"
    )

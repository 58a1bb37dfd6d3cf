"""Pages and line crops to prove parity on: drawn by code, or a user's own."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pymupdf

from export.errors import ExportError

Image = npt.NDArray[np.uint8]

PAGE_SIZE = (420, 595)  # A5 in points
ZOOM = 1.7  # 120 dpi
STEP = 32  # detection halves its input five times

# (font of PyMuPDF, size in points, text): base-14 faces, then its fonts for CJK.
LATIN_LINES = (
    ("helv", 18, "Invoice No. 2024-00817"),
    ("tiro", 11, "The quick brown fox jumps over the lazy dog, twice."),
    ("cour", 10, "for (i = 0; i < 10; ++i) { total += price[i] * 1.19; }"),
    ("hebo", 12, "TOTAL AMOUNT DUE: $1,234.56"),
    ("tiit", 12, "Größe, Straße, Äpfel, Öl und Übermut"),
    ("helv", 9, "Façade, déjà vu, naïve, où êtes-vous? «Ça va»"),
    ("tibo", 14, "Mañana, corazón, ¿qué tal? São João, avô"),
    ("helv", 8, "page 1 of 12 / customer@example.org / +49 30 1234567"),
    ("tiro", 7, "Small print: 5% discount if paid within 14 days (§ 3)."),
)
CJK_LINES = (
    ("china-s", 16, "中华人民共和国的法律规定"),
    ("china-s", 11, "发票号码二〇二四年八月十七日、合计一百元"),
    ("china-t", 12, "臺灣的學校與圖書館、歡迎參觀。"),
    ("japan", 14, "東京都の天気は晴れです。"),
    ("japan", 11, "カタカナとひらがな、漢字が混ざった文章を読みます"),
    ("china-s", 12, "PaddleOCR 识别 English 与 中文 混排 123"),
)


# In color: on gray pages exchanged channels would pass unseen.
PAPER = (1.0, 0.99, 0.95)
INKS = ((0, 0, 0), (0.05, 0.1, 0.5), (0.55, 0.05, 0.05), (0.05, 0.35, 0.1))


def drawn_pages() -> list[Image]:
    """Return RGB pages in Latin and CJK fonts, sides multiples of 32 pixels."""
    return [_fit(_render(_draw(lines), ZOOM)) for lines in (LATIN_LINES, CJK_LINES)]


def sample_pages(folder: Path | None, long_side: int) -> list[Image]:
    """Return the drawn pages and, where a folder is named, the user's own."""
    return drawn_pages() + ([] if folder is None else read_pages(folder, long_side))


def read_pages(folder: Path, long_side: int) -> list[Image]:
    """Return the first page of every image and PDF of a folder, RGB.

    Args:
        folder: Where the user's pages lie.
        long_side: Pixels that a page's long side is brought to.

    Raises:
        ExportError: The folder holds no readable page.
    """
    if not folder.is_dir():
        raise ExportError(f"--pages: {folder} is not a folder")
    pages = [_open(path, long_side) for path in sorted(folder.iterdir()) if path.is_file()]
    found = [page for page in pages if page is not None]
    if not found:
        raise ExportError(f"--pages: {folder} holds no image and no PDF that can be opened")
    return found


def line_crops(page: Image, probability: npt.NDArray[np.float32], threshold: float) -> list[Image]:
    """Return upright line images of a page, where a detector's map (0 to 1) is over a threshold."""
    mask = (probability > threshold).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = (cv2.boundingRect(outline) for outline in outlines)
    return [_cut(page, x, y, w, h) for x, y, w, h in boxes if h >= 4 and w > h]


def fit_crop(crop: Image, height: int, widths: list[int], padding: int) -> Image:
    """Return a crop at a height and in the smallest width that holds it, gray to its right."""
    natural = max(1, round(crop.shape[1] * height / crop.shape[0]))
    width = next((w for w in sorted(widths) if w >= natural), max(widths))
    resized = cv2.resize(crop, (min(natural, width), height))
    canvas: Image = np.full((height, width, 3), padding, np.uint8)
    canvas[:, : resized.shape[1]] = resized
    return canvas


def worn(page: Image) -> list[Image]:
    """Return a page as it comes out of scanners, cameras and programs: clean, worn and inverted."""
    random = np.random.default_rng(1)  # the same pages on every machine
    blurred = np.asarray(cv2.GaussianBlur(page, (0, 0), 0.8), np.uint8)
    noise = random.normal(0, 12, (*page.shape[:2], 1))
    noisy = np.clip(blurred + noise, 0, 255).astype(np.uint8)
    faded = (page * 0.4 + 110).astype(np.uint8)
    scanned = np.where(page.mean(axis=2, keepdims=True) < 128, 0, 255) * np.ones(3)
    return [page, noisy, faded, scanned.astype(np.uint8), np.asarray(255 - page, np.uint8)]


def _draw(lines: tuple[tuple[str, int, str], ...]) -> pymupdf.Document:
    document = pymupdf.open()
    page = document.new_page(width=PAGE_SIZE[0], height=PAGE_SIZE[1])
    page.draw_rect(page.rect, fill=PAPER, color=PAPER)
    y = 40.0
    for (font, size, text), ink in zip(lines, cycle(INKS)):
        page.insert_text((30, y), text, fontname=font, fontsize=size, color=ink)
        y += 2.6 * size + 12
    return document


def _render(document: pymupdf.Document, zoom: float) -> Image:
    pixmap = document[0].get_pixmap(
        matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False
    )
    pixels = np.frombuffer(pixmap.samples, np.uint8)
    return pixels.reshape(pixmap.height, pixmap.width, 3)


def _open(path: Path, long_side: int) -> Image | None:
    try:
        with pymupdf.open(path) as document:
            side = max(document[0].rect.width, document[0].rect.height)
            return _fit(_render(document, long_side / side))
    except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase):  # RuntimeError: PyMuPDF's own
        return None


def _fit(page: Image) -> Image:
    height, width = page.shape[:2]
    below, right = -height % STEP, -width % STEP
    white = (255, 255, 255)
    return np.asarray(
        cv2.copyMakeBorder(page, 0, below, 0, right, cv2.BORDER_CONSTANT, value=white), np.uint8
    )


def _cut(page: Image, x: int, y: int, width: int, height: int) -> Image:
    grow = round(0.4 * height)  # the detector is trained on shrunk lines
    top, left = max(0, y - grow), max(0, x - grow)
    return page[top : y + height + grow, left : x + width + grow]

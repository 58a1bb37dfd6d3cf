"""A small page in any language: plain words, and beside them the letters that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import pymupdf

from export.languages import Language
from ocr_base.reading import PAGE_DPI
from quality.items import Item
from releases.golden import GoldenPage

# In letters that every recognizer writes.
_WORDS = (
    "Pack my box with five dozen jugs (of 1.5 l each)",
    "Quick zephyrs blow, vexing daft Jim: 2,740 times?",
    "THE FIVE BOXING WIZARDS JUMP AT 9:36!",
)
_LETTERS_A_LINE = 20
_MOST_LETTERS = 240
_SIZE = (420, 420)  # points
_INNER = pymupdf.Rect(24, 24, 396, 396)


def letters_page(codes: Sequence[str], languages: Mapping[str, Language]) -> GoldenPage:
    """Return a page, scored by characters, that a recognizer of all these languages can write."""
    letters = "".join(dict.fromkeys("".join(languages[c].letters for c in codes if c in languages)))
    letters = letters[:_MOST_LETTERS]
    starts = range(0, len(letters), _LETTERS_A_LINE)
    lines = [*_WORDS, *(letters[start : start + _LETTERS_A_LINE] for start in starts)]
    with pymupdf.open() as document:
        page = document.new_page(width=_SIZE[0], height=_SIZE[1])
        html = "".join(f"<p>{escape(line)}</p>" for line in lines)
        css = "body {font-family: sans-serif; font-size: 14pt} p {margin: 0 0 6pt 0}"
        page.insert_htmlbox(_INNER, html, css=css)
        drawn = page.get_pixmap(dpi=PAGE_DPI, colorspace=pymupdf.csRGB, alpha=False)
        pixels = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.width, 3).copy()
    item = Item(
        item_id=f"letters_{'_'.join(codes)}"[:60],
        path=Path(),
        page_number=1,
        kind="page",
        language=codes[0],
        width=drawn.width,
        height=drawn.height,
        full_text="\n".join(lines),
        ignores_case=False,
        has_reliable_spaces=False,
        ignored_boxes=(),
        measures=frozenset({"text_bag"}),
    )
    return GoldenPage(item, pixels)

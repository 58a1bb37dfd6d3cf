"""With the real models: words lie where the page shows them."""

import asyncio
from dataclasses import replace
from functools import cache

import numpy as np
import pymupdf
import pytest
from reader import PageReader

from bench.in_process import PageReaders, open_model
from ocr_base.places import MODEL_REPOSITORY
from ocr_base.triton import CONFIG
from preprocess_service.inference.words import to_words
from preprocess_service.pages.text_layer import read_all_text
from tests.drawing import sentence

pytestmark = pytest.mark.skipif(
    not (MODEL_REPOSITORY / "text_detection" / CONFIG).exists(), reason="no models are installed"
)
DPI = 120
opened = cache(open_model)


@pytest.fixture(scope="module")
def settings():
    return PageReaders("speed").settings


def draw(lines, width=595, rotate=0, size=12):
    pdf = pymupdf.open()
    page = pdf.new_page(width=width, height=600)
    for i, line in enumerate(lines):
        start = (60 + 30 * i, 560) if rotate else (60, 60 + 30 * i)
        page.insert_text(start, line, fontsize=size, rotate=rotate)
    return pymupdf.open(stream=pdf.tobytes())[0]


def read(page, settings):
    pixmap = page.get_pixmap(dpi=DPI, alpha=False)
    pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.h, pixmap.w, 3)

    async def infer(model, batch):
        return opened(model).run({settings.models[model].input: batch})

    reader = PageReader(settings, infer)
    strategy = replace(settings.strategy("speed"), page_orientation="never")
    recognizer = settings.recognizer("speed", ["en"])
    lines = asyncio.run(reader.read(pixels, strategy, recognizer)).lines
    polygons = np.array([line.reading_polygon for line in lines], np.float32)
    spans = np.concatenate([line.word_spans for line in lines])
    return [word for words in to_words([line.text for line in lines], polygons, spans)
            for word in words]  # fmt: skip


def nearest(word, found):
    middle = np.mean(word.polygon, axis=0)
    return min(found, key=lambda other: np.hypot(*(np.mean(other.polygon, axis=0) - middle)))


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(draw([sentence(i) for i in range(12)]), id="plain"),
        pytest.param(draw([sentence(i) for i in range(12)], size=7), id="small"),
        pytest.param(draw([sentence(0, 23), sentence(1, 23)], width=1200), id="wide"),
        pytest.param(draw([sentence(i) for i in range(6)], rotate=90), id="upwards"),
    ],
)
def test_words_lie_where_the_page_shows_them(page, settings):
    shown = [w for line in read_all_text(page, DPI / 72, words=True) for w in line.words]
    found = read(page, settings)
    matched = [(word, nearest(word, found)) for word in shown]
    # The smallest models misread a few words of a long line; this is about places.
    assert sum(word.text == other.text for word, other in matched) >= 0.8 * len(shown)
    gaps = np.array([np.subtract(word.polygon, other.polygon) for word, other in matched])
    along = np.subtract(shown[0].polygon[1], shown[0].polygon[0])
    off = np.abs(gaps @ (along / np.hypot(*along)))
    assert np.median(off) < 1.5
    assert np.percentile(off, 95) < 4

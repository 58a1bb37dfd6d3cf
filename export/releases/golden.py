"""Golden pages: labelled, drawn by code or a user's own, read by a release as it is served."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import numpy.typing as npt
import pymupdf
import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException

from bench.drawn.folder import draw_folder
from bench.items import Item, ManifestError, load_items
from bench.predictions import Line
from bench.scoring import ItemScore, score_item
from export.errors import GateError, ReleaseError
from export.releases.naming import served_name

Image = npt.NDArray[np.uint8]

_DPI = 120
_PAGE_SECONDS = 120.0
_CONFIDENCE = 0.5  # what the service leaves out by default is left out here


@dataclass(frozen=True)
class GoldenPage:
    """A page's pixels, RGB, and its truth."""

    item: Item
    pixels: Image


@dataclass
class Reading:
    """What one release made of the pages: a score and seconds for each, and lines in all."""

    scores: list[ItemScore] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    boxes: int = 0


def golden_pages(folder: Path | None) -> list[GoldenPage]:
    """Return the pages of a folder with a `manifest.json`, as `bench` takes it; else drawn ones.

    Raises:
        ReleaseError: The folder has no labelled page.
    """
    if folder is None:
        with TemporaryDirectory() as drawn:
            return _read(draw_folder(Path(drawn)))
    return _read(folder)


def _read(folder: Path) -> list[GoldenPage]:
    try:
        items = [item for item in load_items(folder) if "text_bag" in item.measures]
    except ManifestError as error:
        raise ReleaseError(f"--pages: {error}") from error
    if not items:
        raise ReleaseError(f"--pages: no page of {folder} has the measure text_bag")
    return [GoldenPage(item, _pixels(item)) for item in items]


def _pixels(item: Item) -> Image:
    if item.is_pdf:
        with pymupdf.open(item.path) as document:
            page = document[item.page_number - 1]
            drawn = page.get_pixmap(dpi=_DPI, colorspace=pymupdf.csRGB, alpha=False)
            flat = np.frombuffer(drawn.samples, np.uint8)
            return flat.reshape(drawn.height, drawn.width, 3).copy()
    _, pages = cv2.imreadmulti(str(item.path), flags=cv2.IMREAD_COLOR)
    if len(pages) < item.page_number:
        raise ReleaseError(f"--pages: {item.path} cannot be read")
    return np.ascontiguousarray(pages[item.page_number - 1][..., ::-1], np.uint8)


def read_golden(
    client: grpc.InferenceServerClient, releases: Sequence[int], pages: Sequence[GoldenPage],
    strategy: str,
) -> Iterator[dict[int, Reading]]:  # fmt: skip
    """Read each page with each release in turn; gives the readings so far after each page.

    Raises:
        GateError: A release fails on a page.
    """
    readings = {release: Reading() for release in releases}
    for page in pages:
        for release in releases:
            lines = _read_page(client, release, page, strategy, readings[release])
            readings[release].boxes += len(lines)
            readings[release].scores.append(score_item(page.item, lines))
        yield readings


def _read_page(
    client: grpc.InferenceServerClient, release: int, page: GoldenPage, strategy: str,
    reading: Reading,
) -> list[Line]:  # fmt: skip
    pixels = grpc.InferInput("PIXELS", list(page.pixels.shape), "UINT8")
    pixels.set_data_from_numpy(page.pixels)
    chosen = grpc.InferInput("STRATEGY", [1], "BYTES")
    chosen.set_data_from_numpy(np.array([strategy.encode()], np.object_))
    model = served_name("page_reading", release)
    started = time.perf_counter()
    try:
        answer = client.infer(model, [pixels, chosen], client_timeout=_PAGE_SECONDS)
    except InferenceServerException as error:
        raise GateError(
            f"release {release} fails on the page {page.item.item_id}: {error.message()}"
        ) from error
    reading.seconds.append(time.perf_counter() - started)
    height, width = page.pixels.shape[:2]
    scale = np.array([page.item.width / width, page.item.height / height])
    return [
        Line(text.decode(), (*(low * scale).tolist(), *(high * scale).tolist()), confidence)
        for text, confidence, low, high in zip(
            answer.as_numpy("TEXT"),
            answer.as_numpy("CONFIDENCE").tolist(),
            answer.as_numpy("POLYGON").min(axis=1),
            answer.as_numpy("POLYGON").max(axis=1),
            strict=True,
        )
        if confidence >= _CONFIDENCE
    ]

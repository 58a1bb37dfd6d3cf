"""The server's own models and code called in one process: what HTTP, gRPC, Triton and copies cost.

Each thread has sessions of its own, as Triton's instances do, and reads one page at a time.
"""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2 as triton

from bench.reading import Advance, Reading
from bench.server_engine import group_by_document
from embedded.backends.onnxruntime.options import read_options
from embedded.backends.onnxruntime.sessions import Session, open_session
from ocr_base.places import MODEL_REPOSITORY, TUNING
from ocr_base.reading import CONFIDENCE_THRESHOLD, page_dpi
from ocr_base.settings import from_environment
from ocr_base.triton import (
    CONFIG,
    MODEL_VERSION,
    PUBLIC,
    READER,
    RELEASES,
    Releases,
    served_name,
)
from preprocess_service.pages.image_source import ImageSource
from preprocess_service.pages.media_types import HEAD_BYTES, PDF, sniff_media_type
from preprocess_service.pages.pdf_source import PdfSource
from preprocess_service.pages.source import PageSource, RasterRequest
from quality.items import Item
from quality.predictions import Line

# PyMuPDF must not be called by two threads at once: they hang.
_drawing = threading.Lock()


class InProcessEngine:
    """One strategy, read by `threads` threads of this process."""

    version = "the server's models and code"

    def __init__(self, strategy: str, *, threads: int) -> None:
        self.setup = f"{threads} threads of one process, without HTTP and Triton"
        self._readers = PageReaders(strategy)
        self._strategy = strategy
        self._threads = threads

    def read(self, items: Sequence[Item], advance: Advance) -> Reading:
        """See `Engine`; a document's pages are read one after the other."""
        reading = Reading()
        started = time.perf_counter()
        with ThreadPoolExecutor(self._threads) as pool:
            for document in pool.map(lambda d: self._read(d, reading), group_by_document(items)):
                advance(len(document))
        reading.seconds = time.perf_counter() - started
        return reading

    def _read(self, document: Sequence[Item], reading: Reading) -> Sequence[Item]:
        with _opened(document[0].path, page_dpi(self._strategy)) as source:
            wanted = {item.page_number: item for item in document}
            for index in range(source.page_count):
                with _drawing:
                    page = source.render(index)
                lines = self._readers.read(page.pixels, document[0].language)
                reading.pages += 1
                if item := wanted.get(index + 1):
                    height, width = page.pixels.shape[:2]
                    reading.predictions[item.item_id] = [
                        line.scaled(item.width / width, item.height / height) for line in lines
                    ]
        return document


class PageReaders:
    """`PageReader` with one set of sessions for each thread that asks."""

    def __init__(self, strategy: str) -> None:
        # Triton puts a model's version folder on `sys.path`; so does this.
        reader = served_name(READER, _live_release())
        sys.path.insert(0, str(MODEL_REPOSITORY / reader / MODEL_VERSION))
        parameters = _config(reader)["parameters"]
        self.settings = import_module("page_settings").PageSettings.from_parameters(
            {name: value["string_value"] for name, value in parameters.items()}
        )
        self._strategy = strategy
        self._reader = import_module("reader").PageReader
        self._local = threading.local()

    def read(self, pixels: Any, language: str) -> list[Line]:
        """Return the lines that the service would answer with."""
        strategy = self.settings.strategy(self._strategy)
        recognizer = self.settings.recognizer(self._strategy, [language])
        reader = self._reader(self.settings, self._infer)
        found = asyncio.run(reader.read(pixels, strategy, recognizer)).lines
        return [
            Line(
                line.text,
                (*line.polygon.min(axis=0).tolist(), *line.polygon.max(axis=0).tolist()),
                line.confidence,
            )
            for line in found
            if line.confidence >= CONFIDENCE_THRESHOLD
        ]

    async def _infer(self, model: str, batch: Any) -> dict[str, Any]:
        sessions: dict[str, Session] = self._local.__dict__.setdefault("sessions", {})
        if model not in sessions:
            sessions[model] = open_model(model)
        return sessions[model].run({self.settings.models[model].input: batch})


def open_model(name: str) -> Session:
    """Return a model of the live release as Triton's instances open it."""
    name = served_name(name, _live_release())
    # As the embedded stack sets it: the same choice of precision, kept in the same place.
    if from_environment("OPENVINO_TUNING_DIR") is None:
        os.environ["OPENVINO_TUNING_DIR"] = str(TUNING)
    config = _config(name)
    options = read_options(config, "CPU", 0)
    return open_session(MODEL_REPOSITORY / name / MODEL_VERSION / options.filename, options)


def _live_release() -> int:
    told = _config(PUBLIC)["parameters"][RELEASES]["string_value"]
    return Releases.from_json(told).live


def _config(name: str) -> dict[str, Any]:
    text = (MODEL_REPOSITORY / name / CONFIG).read_text(encoding="utf-8")
    message = text_format.Parse(text, triton.ModelConfig())
    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return found


@contextlib.contextmanager
def _opened(path: Path, dpi: int) -> Iterator[PageSource]:
    with path.open("rb") as file:
        media_type = sniff_media_type(file.read(HEAD_BYTES))
    request = RasterRequest(path.name, media_type, dpi, max_pages=1000, max_pixels=100_000_000)
    with _drawing:
        source: PageSource = (PdfSource if media_type == PDF else ImageSource)(path, request)
    try:
        yield source
    finally:
        with _drawing:
            source.close()

"""Golden pages read by releases as they are served."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException

from ocr_base.reading import CONFIDENCE_THRESHOLD
from ocr_base.triton import READER, served_name
from quality.predictions import Line
from quality.scoring import ItemScore, score_item
from releases.asks import Ask
from releases.errors import GateError

_PAGE_SECONDS = 120.0


@dataclass(frozen=True)
class Answer:
    """What a release made of a page, how long it took, and how many lines it found."""

    score: ItemScore
    seconds: float
    lines: int


@dataclass(frozen=True)
class Compared:
    """A page as the candidate read it, and as the live release did, if it takes such requests."""

    ask: Ask
    candidate: Answer
    live: Answer | None


class Reader(Protocol):
    """Whatever reads pages with releases."""

    def read(self, ask: Ask, release: int) -> list[Line]:
        """Return the lines, boxes in the frame of the page's truth."""
        ...


def compare(
    reader: Reader, candidate: int, live: int | None, asks: Sequence[Ask]
) -> Iterator[Compared]:
    """Read each page with both releases in turn.

    Raises:
        GateError: A release fails on a page.
    """
    for ask in asks:
        before = None if live is None or ask.is_new else _answer(reader, ask, live)
        yield Compared(ask, _answer(reader, ask, candidate), before)


def _answer(reader: Reader, ask: Ask, release: int) -> Answer:
    started = time.perf_counter()
    lines = reader.read(ask, release)
    seconds = time.perf_counter() - started
    return Answer(score_item(ask.page.item, lines), seconds, len(lines))


@dataclass(frozen=True)
class ServedReader:
    """Reads with the releases that a running Triton has loaded."""

    client: grpc.InferenceServerClient

    def read(self, ask: Ask, release: int) -> list[Line]:
        """See `Reader.read`; raises GateError where the release fails."""
        pixels = grpc.InferInput("PIXELS", list(ask.page.pixels.shape), "UINT8")
        pixels.set_data_from_numpy(ask.page.pixels)
        inputs = [pixels, _text_input("STRATEGY", [ask.strategy])]
        inputs += [_text_input("LANGUAGE", ask.languages)] if ask.languages else []
        model = served_name(READER, release)
        try:
            answer = self.client.infer(model, inputs, client_timeout=_PAGE_SECONDS)
        except InferenceServerException as error:
            raise GateError(
                f"release {release} fails on the page {ask.page.item.item_id} "
                f"({ask.strategy}, {ask.recognizer}): {error.message()}"
            ) from error
        return _lines(ask, answer)


def _text_input(name: str, values: Sequence[str]) -> grpc.InferInput:
    tensor = grpc.InferInput(name, [len(values)], "BYTES")
    tensor.set_data_from_numpy(np.array([value.encode() for value in values], np.object_))
    return tensor


def _lines(ask: Ask, answer: grpc.InferResult) -> list[Line]:
    height, width = ask.page.pixels.shape[:2]
    scale = np.array([ask.page.item.width / width, ask.page.item.height / height])
    return [
        Line(text.decode(), (*(low * scale).tolist(), *(high * scale).tolist()), confidence)
        for text, confidence, low, high in zip(
            answer.as_numpy("TEXT"),
            answer.as_numpy("CONFIDENCE").tolist(),
            answer.as_numpy("POLYGON").min(axis=1),
            answer.as_numpy("POLYGON").max(axis=1),
            strict=True,
        )
        if confidence >= CONFIDENCE_THRESHOLD
    ]

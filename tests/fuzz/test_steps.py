"""Tensors that a direct client of Triton may send to the Python steps.

Triton itself holds a request to the types and the dimensions that config.pbtxt fixes.
"""

import asyncio

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.fuzz.triton_in_place import Response, Tensor, load_step

STRATEGY = {
    "detection": "det", "recognition": ["latin", "full"], "squeeze": 1.0,
    "page_orientation": "when_unreadable", "textline_orientation": True,
}  # fmt: skip
PARAMETERS = {
    "release": 3,
    "default_strategy": "balanced",
    "models": {
        "det": {"task": "detection", "input": "I", "outputs": ["PROBABILITY_MAP"]},
        "latin": {"task": "recognition", "input": "I", "outputs": ["CODEPOINT", "PROBABILITY"]},
        "full": {"task": "recognition", "input": "I", "outputs": ["CODEPOINT", "PROBABILITY"]},
        "turns": {"task": "page_orientation", "input": "I", "outputs": ["PROBABILITY"]},
        "heads": {"task": "textline_orientation", "input": "I", "outputs": ["PROBABILITY"]},
    },
    "strategies": {"balanced": STRATEGY, "speed": STRATEGY},
    "writes": {"latin": ["en", "de"], "full": ["en", "zh"]},
    "default_recognizers": {"balanced": "full", "speed": "full"},
    "detection": {
        "canvases": [[256, 256]], "limit_long_side": 256, "limit_short_side": 200,
        "binarize_threshold": 0.2, "box_threshold": 0.5, "unclip_ratio": 1.0,
        "max_candidates": 1000, "min_side": 3,
    },
    "recognition": {
        "height": 48, "widths": [96, 320], "pixels_per_step": 8, "densest": 0.55, "padding": 127,
        "max_batch_size": 4,
    },
    "textline_orientation": {"height": 48, "width": 192, "max_batch_size": 4},
    "page_orientation": {"height": 224, "width": 224, "max_batch_size": 1},
}  # fmt: skip
PAGES = load_step("page_reading", PARAMETERS)
IMAGES = load_step("image_decoding", {"max_pixels": 10_000})
BYTES = st.binary(max_size=40) | st.sampled_from([b"en", b"zh", b"speed", b"\xff\xfe", b"x" * 9999])
LONG_LISTS = st.lists(BYTES, min_size=1, max_size=3).map(lambda some: some * 400)
SIDES = st.integers(0, 70)
PIXELS = st.tuples(SIDES, SIDES, st.sampled_from([0, 1, 2, 3, 4])).flatmap(
    lambda shape: arrays(np.uint8, shape, fill=st.sampled_from([0, 255]))
)


def texts(name: str, values: list[bytes]) -> Tensor:
    return Tensor(name, np.array([*values, b""], np.object_)[:-1])


def flag(name: str, value: bool) -> Tensor:
    return Tensor(name, np.array([value]))


REQUESTS = st.fixed_dictionaries(
    {"PIXELS": st.builds(Tensor, st.just("PIXELS"), PIXELS)},
    optional={
        "STRATEGY": st.builds(texts, st.just("STRATEGY"), st.lists(BYTES, min_size=1, max_size=1)),
        "LANGUAGE": st.builds(texts, st.just("LANGUAGE"), st.lists(BYTES, max_size=4) | LONG_LISTS),
        "DETECT_ORIENTATION": st.builds(flag, st.just("DETECT_ORIENTATION"), st.booleans()),
        "WORDS": st.builds(flag, st.just("WORDS"), st.booleans()),
    },
)


def assert_answered(response: Response) -> None:
    if response.error is not None:
        assert response.error.code == "INVALID_ARG", response.error.text
        assert len(response.error.text) < 1000


@given(request=REQUESTS)
def test_a_page_and_its_options_are_read_or_refused(request: dict[str, Tensor]) -> None:
    (response,) = asyncio.run(PAGES.execute([request]))
    assert_answered(response)


@given(data=st.binary(max_size=200))
def test_bytes_are_an_image_or_refused(data: bytes) -> None:
    (response,) = IMAGES.execute([{"IMAGE": texts("IMAGE", [data])}])
    assert_answered(response)


def test_an_image_comes_with_the_strategies_that_the_configuration_has() -> None:
    image = cv2.imencode(".png", np.full((9, 7, 3), 255, np.uint8))[1].tobytes()
    (response,) = IMAGES.execute([{"IMAGE": texts("IMAGE", [image])}])
    told = {tensor.name(): tensor.as_numpy() for tensor in response.output_tensors()}
    assert told["PIXELS"].shape == (9, 7, 3)
    assert told["STRATEGY_SPEED"].tolist() == [b"speed"]
    assert {*told} == {"PIXELS", "SCALE", "STRATEGY_SPEED"}


def test_a_page_is_read() -> None:
    page = np.full((60, 70, 3), 255, np.uint8)
    page[20:34, 10:60] = 0
    (response,) = asyncio.run(PAGES.execute([{"PIXELS": Tensor("PIXELS", page)}]))
    assert response.error is None
    assert response.output_tensors()[0].as_numpy().size == 1

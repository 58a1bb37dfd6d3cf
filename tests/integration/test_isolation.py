"""No answer carries a byte of another request, whatever shapes are sent between them.

The strangers of these tests send white pixels only, so a letter in an answer to them is not theirs.
ISOLATION_RUNS is how many requests a stranger sends to each model.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as grpc

from embedded.backends.onnxruntime.options import read_options
from embedded.backends.onnxruntime.sessions import Session, open_session
from ocr_base.places import CHECKOUT
from tests.drawing import draw_page
from tests.integration.whole_stack import StackTriton

RUNS = int(os.environ.get("ISOLATION_RUNS", "60"))
DETECTORS = ("text_detection", "text_detection_tiny")
RECOGNIZERS = (
    "text_recognition",
    "text_recognition_latin",
    "text_recognition_tiny",
    "text_recognition_tiny_latin",
)
ORIENTATIONS = {"textline_orientation": (48, 192), "page_orientation": (224, 224)}
WORDS = ("garden", "silver", "window", "mother")
# Larger than the white pages that follow it, so that what it leaves could lie under theirs.
MARKED_SIDE = 256
UNFIT_SIDES = (1, 3, 31, 33, 65, 100, 500, 720, 2080, 2049)
FIT_SIDES = ((32, 32), (64, 32), (320, 256))
UNFIT_WIDTHS = (1, 2, 3, 5, 7, 4097)


def marked_crop(word: str) -> np.ndarray:
    """A crop as recognizers take it, that shows a word."""
    page = draw_page([word], dpi=120, size=20)
    dark = (page < 128).any(axis=2)
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    line = page[rows[0] - 4 : rows[-1] + 5, columns[0] - 4 : columns[-1] + 5]
    crop = np.full((48, 160, 3), 255, np.uint8)
    crop[: line.shape[0], : line.shape[1]] = line[:48, :160]
    return crop


def marked_page() -> np.ndarray:
    """A page as detectors take it, with a word in its corner."""
    page = np.full((1, MARKED_SIDE, MARKED_SIDE, 3), 255, np.uint8)
    page[0, :48, :160] = marked_crop("garden")
    return page


def white(model: str, *sides: int) -> np.ndarray:
    shape = sides if model in DETECTORS else (48, *sides[:1])
    return np.full((1, *shape, 3), 255, np.uint8)


def carries_text(outputs: dict[str, np.ndarray]) -> bool:
    if "CODEPOINT" in outputs:  # white alone is read as stray letters now and then, as no word
        return any(word in letters(row) for word in WORDS for row in outputs["CODEPOINT"])
    return bool((outputs["PROBABILITY_MAP"] > 100).any())


def assert_equal(outputs: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    for name, array in wanted.items():
        np.testing.assert_array_equal(outputs[name], array)


def engine(precision: str, batch: int) -> dict[str, object]:
    if precision == "onnxruntime":
        return {"max_batch_size": batch}
    wish = {"name": "openvino", "parameters": {"precision_mode": precision}}
    accelerators = {"cpu_execution_accelerator": [wish]}
    return {"max_batch_size": batch, "optimization": {"execution_accelerators": accelerators}}


def open_model(name: str, precision: str, batch: int) -> Session:
    folder = next(Path(CHECKOUT, "model_repository").glob(f"{name}_r[0-9]*"))
    return open_session(
        folder / "1" / "model.onnx", read_options(engine(precision, batch), "CPU", 0)
    )


@pytest.mark.parametrize("precision", ["FP32", "BF16", "INT8", "onnxruntime"])
@pytest.mark.parametrize("batch", [0, 8])
@pytest.mark.parametrize("name", ["text_detection_tiny", "text_recognition_tiny_latin"])
def test_a_model_leaves_nothing_of_one_run_in_the_next(name: str, precision: str, batch: int):
    """What a shape answers depends on its pixels alone, also after shapes that it cannot take.

    An answer to the latter is nobody's: requests of such shapes are refused before they come here.
    """
    session, fresh = (open_model(name, precision, batch) for _ in range(2))
    marked = marked_page() if name in DETECTORS else marked_crop("garden")[None]
    (spec,) = session.inputs
    wanted = fresh.run({spec.name: marked})
    assert carries_text(wanted)
    fit = {sides: fresh.run({spec.name: white(name, *sides)}) for sides in FIT_SIDES}
    for sides in [(side, other) for side in UNFIT_SIDES[:4] for other in UNFIT_SIDES[1:3]]:
        with suppress(Exception):
            session.run({spec.name: white(name, *sides)})
        for shape, answer in fit.items():
            assert_equal(session.run({spec.name: marked}), wanted)
            assert_equal(session.run({spec.name: white(name, *shape)}), answer)


@pytest.fixture(scope="module")
def client(triton: StackTriton):
    with grpc.InferenceServerClient(f"127.0.0.1:{triton.settings.triton_grpc_port}") as connected:
        yield connected


def ask(client, model: str, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Return a model's outputs by name."""
    named = "CROP" if model in RECOGNIZERS or model == "textline_orientation" else "IMAGE"
    tensor = grpc.InferInput(named, list(pixels.shape), "UINT8")
    tensor.set_data_from_numpy(pixels)
    result = client.infer(model, [tensor])
    names = [output.name for output in result.get_response().outputs]
    return {name: result.as_numpy(name) for name in names}


def is_refused(client, model: str, pixels: np.ndarray) -> bool:
    with pytest.raises(grpc.InferenceServerException) as raised:
        ask(client, model, pixels)
    return raised.value.status() == "StatusCode.INVALID_ARGUMENT"


def letters(codepoints: np.ndarray) -> str:
    kept = [
        p for p, before in zip(codepoints, [0, *codepoints], strict=False) if p not in (0, before)
    ]
    return "".join(map(chr, kept))


def read_word(client, model: str, word: str) -> str:
    """What a caller reads who sends crops of one word: several, so that batches form."""
    crops = np.stack([marked_crop(word)] * 2)
    found = {letters(row) for row in ask(client, model, crops)["CODEPOINT"]}
    return " ".join(sorted(found))


@pytest.mark.parametrize("model", [*RECOGNIZERS, *DETECTORS])
def test_strangers_shapes_between_marked_requests(client, model):
    """Callers of one word each, and one who sends white pixels of every shape in between."""
    draw = np.random.default_rng(7)
    with ThreadPoolExecutor(len(WORDS)) as callers:
        for _ in range(RUNS // 2):
            others = [callers.submit(read_word, client, RECOGNIZERS[2], word) for word in WORDS]
            others += [callers.submit(_mark, client, model)]
            if model in DETECTORS:
                unfit = white(model, *draw.choice(UNFIT_SIDES, 2))
                fit = white(model, *(32 * draw.integers(1, 12, 2)))
            else:
                unfit = white(model, int(draw.choice(UNFIT_WIDTHS)))
                fit = white(model, int(draw.integers(8, 600)))
            assert is_refused(client, model, unfit), unfit.shape
            assert not carries_text(ask(client, model, fit)), fit.shape
            assert [other.result() for other in others[:-1]] == list(WORDS)
            assert others[-1].result()


def _mark(client, model: str) -> bool:
    """Leave text in the model's last answer."""
    if model in RECOGNIZERS:
        return carries_text(ask(client, model, marked_crop("garden")[None]))
    return carries_text(ask(client, model, marked_page()))


@pytest.mark.parametrize("model", ORIENTATIONS)
def test_models_of_one_shape_refuse_every_other(client, model):
    height, width = ORIENTATIONS[model]
    fit = np.full((1, height, width, 3), 255, np.uint8)
    alone = ask(client, model, fit)["PROBABILITY"]
    for change in ((-1, 0), (0, 1), (1, 1), (0, -1)):
        unfit = np.full((1, height + change[0], width + change[1], 3), 0, np.uint8)
        assert is_refused(client, model, unfit)
        np.testing.assert_array_equal(ask(client, model, fit)["PROBABILITY"], alone)

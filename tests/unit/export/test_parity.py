from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from export.build import build
from export.errors import ParityError
from export.fetch import fetch
from export.onnx_model import Published, read_published
from export.parity import Comparison, Prover, check, collapse, normalize
from export.samples import drawn_pages
from export.spec import Spec
from tests.unit.export.small_world import LANGUAGES


@pytest.fixture
def published(spec: Spec, tmp_path: Path) -> Callable[[str], Published]:
    source = spec.sources["world"]
    files = fetch("world", source, spec.files_of("world"), tmp_path)
    return lambda name: read_published(name, spec, files, tmp_path)


@pytest.fixture
def prover(spec: Spec, tmp_path: Path) -> Prover:
    return Prover(spec, drawn_pages()[:1], 1, tmp_path)


def _spoil(model: bytes, name: str, change: Callable[[np.ndarray], np.ndarray]) -> bytes:
    proto = onnx.load_model_from_string(model)
    (weights,) = [w for w in proto.graph.initializer if w.name == name]
    array = change(onnx.numpy_helper.to_array(weights))
    weights.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
    return proto.SerializeToString()


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("text_detection", 1),
        ("text_recognition", None),
        ("text_recognition_latin", None),
        ("textline_orientation", None),
        ("page_orientation", 4),
    ],
)
def test_an_export_holds(
    spec: Spec,
    prover: Prover,
    published: Callable[[str], Published],
    name: str,
    inputs: int | None,
) -> None:
    model = build(spec, published(name), LANGUAGES)
    crops = prover.crops_by(published("text_detection"))
    assert len(crops) >= 5
    (comparison,) = prover.compare([(model.published, model.onnx)], crops)
    both_ways = 2 if name == "textline_orientation" else 1
    assert comparison.inputs == (inputs or len(crops) * both_ways)
    assert comparison.holds


@pytest.mark.parametrize(
    ("name", "weights", "change"),
    [
        ("text_detection", "IMAGE_weights", lambda w: w * 1.05),
        ("text_detection", "IMAGE_mean", lambda mean: mean[:, ::-1]),
        ("text_detection", "IMAGE_weights", lambda w: w[:, ::-1]),
        ("text_recognition", "alphabet", lambda letters: np.roll(letters, 1)),
        (
            "text_recognition",
            "class_biases",
            lambda b: b + np.linspace(0, 1, b.size),
        ),
        ("text_recognition_latin", "alphabet", lambda letters: letters[::-1]),
        ("page_orientation", "IMAGE_weights", lambda w: w[:, ::-1]),
    ],
)
def test_a_spoiled_export_does_not_hold(
    spec: Spec,
    prover: Prover,
    published: Callable[[str], Published],
    name: str,
    weights: str,
    change: Callable[[np.ndarray], np.ndarray],
) -> None:
    model = build(spec, published(name), LANGUAGES)
    spoiled = _spoil(model.onnx, weights, lambda array: change(array).astype(array.dtype))
    crops = prover.crops_by(published("text_detection"))
    (comparison,) = prover.compare([(model.published, spoiled)], crops)
    assert not comparison.holds
    with pytest.raises(ParityError, match=f"{name}: .* answers differ"):
        check([comparison])


def test_pages_without_text_prove_nothing(
    spec: Spec, published: Callable[[str], Published], tmp_path: Path
) -> None:
    blank = np.full((64, 96, 3), 255, np.uint8)
    with pytest.raises(ParityError, match="show no line"):
        Prover(spec, [blank], 1, tmp_path).crops_by(published("text_detection"))


def test_check_names_only_what_fails() -> None:
    good = Comparison("good", 3, 3, 0.0005, 0.001)
    check([good])
    with pytest.raises(ParityError) as raised:
        check([good, replace(good, model="bad", same=2), replace(good, model="far", difference=1)])
    assert "bad: 1 of 3" in str(raised.value)
    assert "far: 0 of 3" in str(raised.value)
    assert "good" not in str(raised.value)


def test_collapse_drops_repetitions_and_blanks() -> None:
    steps = [0, 97, 97, 0, 97, 98, 98, 0, 0, 20013]
    assert collapse(np.array(steps, np.int32)) == "aab中"


def test_normalize_orders_channels_as_published(spec: Spec) -> None:
    task = spec.tasks.detection
    red = np.zeros((1, 1, 3), np.uint8)
    red[..., 0] = 255
    expected = (np.array([0, 0, 1]) - task.mean) / task.std
    np.testing.assert_allclose(normalize(red, task)[0, :, 0, 0], expected, rtol=1e-5)

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from export.alphabet import cut, read_dictionary
from export.errors import AlphabetError, SurgeryError
from export.parity import normalize
from export.spec import AlphabetSpec, Spec
from export.surgery import (
    give_class_probability,
    give_codepoints,
    give_probability_map,
    load_graph,
    save_graph,
    take_pixels,
)
from tests.unit.export.small_world import CLASSES, LETTERS, classifier, detector, recognizer

FULL = read_dictionary("\n".join(LETTERS))
PACK = cut(FULL, "latin", AlphabetSpec(must_write=[], scripts=["LATIN"], ranges=[], extra=""))


def _run(model: bytes, feed: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    outputs: list[np.ndarray] = session.run(None, {session.get_inputs()[0].name: feed})
    return outputs


@pytest.fixture
def crops() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (3, 48, 64, 3), np.uint8)


@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_pixels_in_equal_the_published_preprocessing(
    spec: Spec, crops: np.ndarray, order: str
) -> None:
    task = spec.tasks.textline_orientation
    object.__setattr__(task, "channel_order", order)
    graph = load_graph(classifier(2))
    take_pixels(graph, task, "CROP", ("N", 48, "W", 3))
    give_class_probability(graph, 2)
    exported = _run(save_graph(graph, {}), crops)[0]
    published = _run(classifier(2), np.concatenate([normalize(c, task) for c in crops]))[0]
    assert np.ptp(published[:, 0]) > 1e-4  # the inputs do differ
    np.testing.assert_allclose(exported, published, atol=1e-5)


def test_a_probability_map_is_rounded_to_256_levels(spec: Spec) -> None:
    grays = np.linspace(130, 255, 96, dtype=np.uint8)
    page = np.broadcast_to(grays[None, None, :, None], (1, 64, 96, 3))
    graph = load_graph(detector())
    take_pixels(graph, spec.tasks.detection, "IMAGE", ("N", "H", "W", 3))
    give_probability_map(graph)
    exported = _run(save_graph(graph, {}), page)[0]
    published = _run(detector(), normalize(page[0], spec.tasks.detection))[0][:, 0]
    assert exported.dtype == np.uint8
    assert exported.shape == (1, 64, 96)
    assert np.ptp(exported) > 100
    assert np.abs(exported / 255 - published).max() <= 0.501 / 255


def _recognize(spec: Spec, alphabet: object, opset: int = 11) -> bytes:
    graph = load_graph(recognizer(opset=opset))
    take_pixels(graph, spec.tasks.recognition, "CROP", ("N", 48, "W", 3))
    give_codepoints(graph, alphabet, FULL, "text_recognition")  # type: ignore[arg-type]
    return save_graph(graph, {"task": "recognition"})


def test_a_recognizer_answers_code_points_and_their_softmax(spec: Spec, crops: np.ndarray) -> None:
    codepoints, probability = _run(_recognize(spec, FULL), crops)
    floats = np.concatenate([normalize(c, spec.tasks.recognition) for c in crops])
    softmax = _run(recognizer(), floats)[0]
    assert codepoints.dtype == np.int32
    assert codepoints.shape == (3, 8)
    np.testing.assert_array_equal(codepoints, np.array(FULL.codepoints)[softmax.argmax(-1)])
    np.testing.assert_allclose(probability, softmax.max(-1), atol=1e-5)


def test_a_pack_chooses_and_weighs_among_its_own_classes(spec: Spec, crops: np.ndarray) -> None:
    codepoints, probability = _run(_recognize(spec, PACK), crops)
    floats = np.concatenate([normalize(c, spec.tasks.recognition) for c in crops])
    kept = _run(recognizer(), floats)[0][..., list(PACK.classes)]
    np.testing.assert_array_equal(codepoints, np.array(PACK.codepoints)[kept.argmax(-1)])
    np.testing.assert_allclose(probability, kept.max(-1) / kept.sum(-1), atol=1e-5)


def test_no_shape_of_the_published_graph_is_left(spec: Spec) -> None:
    model = onnx.load_model_from_string(_recognize(spec, PACK))
    shapes = [
        dimension.dim_value
        for value in model.graph.value_info
        for dimension in value.type.tensor_type.shape.dim
    ]
    assert CLASSES not in shapes
    assert len(PACK.codepoints) in shapes
    assert {node.op_type for node in model.graph.node}.isdisjoint({"Softmax", "Identity"})
    assert {entry.key: entry.value for entry in model.metadata_props} == {"task": "recognition"}


def test_a_dictionary_of_another_model_is_refused(spec: Spec) -> None:
    graph = load_graph(recognizer(classes=9))
    with pytest.raises(AlphabetError, match="has 9 classes"):
        give_codepoints(graph, FULL, FULL, "text_recognition")


def test_a_graph_of_another_form_is_refused(spec: Spec) -> None:
    with pytest.raises(SurgeryError, match="does not end in Softmax"):
        give_codepoints(load_graph(detector()), FULL, FULL, "text_recognition")
    with pytest.raises(SurgeryError, match="MatMul, Add, Softmax"):
        give_codepoints(load_graph(classifier(2)), FULL, FULL, "text_recognition")


def test_a_graph_that_does_not_begin_with_a_convolution_is_refused(spec: Spec) -> None:
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 3, "H", "W"])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["N", 3, "H", "W"])
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [x], [y]))
    with pytest.raises(SurgeryError, match="does not begin with one convolution"):
        take_pixels(
            load_graph(model.SerializeToString()), spec.tasks.detection, "IMAGE", ("N", "H", "W", 3)
        )

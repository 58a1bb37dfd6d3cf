import json

import numpy as np
import pytest
from tritonclient.grpc import model_config_pb2

from preprocess_service.errors import EngineContractError
from preprocess_service.inference import tensors
from preprocess_service.inference.engine import ReadingOptions

PIXELS = np.zeros((4, 6, 3), np.uint8)


class Result:
    def __init__(self, **changes):
        self.arrays = {
            "TEXT": np.array(["Grüße".encode(), b"\xff"], dtype=object),
            "CONFIDENCE": np.array([0.75, 1.0000001], np.float32),
            "POLYGON": np.array([[[10, 5], [90.04, 6], [91, 30], [9, 29]]] * 2, np.float32),
            "RELEASE": np.array([7], np.int32),
            "ROTATION": np.array([90], np.int32),
            "WORD_SPAN": np.zeros((0, 3), np.float32),
            **changes,
        }

    def as_numpy(self, name):
        return self.arrays[name]


def _names(**options):
    inputs = tensors.to_inputs(PIXELS, ReadingOptions(1, "speed", **options))
    return {tensor.name(): (tensor.datatype(), tensor.shape()) for tensor in inputs}


def test_page_goes_as_raw_pixels():
    assert _names() == {"PIXELS": ("UINT8", [4, 6, 3]), "STRATEGY": ("BYTES", [1])}


def test_options_go_only_when_they_are_set():
    names = _names(languages=("en", "de"), detect_orientation=False, words=True)
    assert names["WORDS"] == ("BOOL", [1])
    assert names["LANGUAGE"] == ("BYTES", [2])
    assert names["DETECT_ORIENTATION"] == ("BOOL", [1])


def test_answer_becomes_lines_with_bounding_boxes():
    reading = tensors.to_reading(Result())
    assert (reading.release, reading.rotation) == (7, 90)
    line = reading.lines[0]
    assert (line.text, line.confidence) == ("Grüße", 0.75)
    assert line.polygon == ((10, 5), (90, 6), (91, 30), (9, 29))
    assert line.bbox == (9, 5, 91, 30)


def test_words_take_their_part_of_the_line():
    texts = np.array([b"one two", "中文".encode()], dtype=object)
    polygons = [[[0, 0], [100, 0], [100, 20], [0, 20]], [[50, 90], [50, 10], [70, 10], [70, 90]]]
    spans = np.array([[0, 0.4, 0.9], [0.5, 1, 1.0000001], [0.25, 0.75, 0.5]], np.float32)
    lines = tensors.to_reading(
        Result(TEXT=texts, POLYGON=np.array(polygons, np.float32), WORD_SPAN=spans)
    ).lines
    assert [[word.text for word in line.words] for line in lines] == [["one", "two"], ["中文"]]
    assert [word.bbox for word in lines[0].words] == [(0, 0, 40, 20), (50, 0, 100, 20)]
    assert [word.confidence for word in lines[0].words] == [0.9, 1.0]
    # The second line is read from its bottom.
    assert lines[1].words[0].polygon == ((50, 70), (50, 30), (70, 30), (70, 70))
    assert lines[1].words[0].bbox == (50, 30, 70, 70)


def test_lines_have_no_words_unless_asked():
    assert [line.words for line in tensors.to_reading(Result()).lines] == [None, None]


def test_what_is_a_little_off_does_not_fail_a_page():
    line = tensors.to_reading(Result()).lines[1]
    assert (line.text, line.confidence) == ("\ufffd", 1.0)


def test_blank_page_is_no_lines():
    empty = {
        "TEXT": np.empty(0, object),
        "CONFIDENCE": np.empty(0, np.float32),
        "POLYGON": np.empty((0, 4, 2), np.float32),
    }
    assert tensors.to_reading(Result(**empty)).lines == ()


def test_tensors_that_do_not_belong_together_break_the_contract():
    with pytest.raises(EngineContractError, match="different lengths"):
        tensors.to_reading(Result(CONFIDENCE=np.zeros(3, np.float32)))
    with pytest.raises(EngineContractError, match="3 spans for 2 words"):
        tensors.to_reading(Result(WORD_SPAN=np.zeros((3, 3), np.float32)))
    with pytest.raises(EngineContractError, match="without ROTATION"):
        tensors.to_reading(Result(ROTATION=None))


def test_parameters_describe_the_release():
    config = model_config_pb2.ModelConfig()
    strategy = {
        "detection": "text_detection", "recognition": ["latin", "full"],
        "page_orientation": "when_unreadable", "textline_orientation": False,
    }  # fmt: skip
    values = {
        "release": 2,
        "strategies": {"balanced": strategy},
        "languages": {"balanced": {"en": "latin"}},
    }
    for key, value in values.items():
        config.parameters[key].string_value = json.dumps(value)
    description = tensors.to_description(config)
    assert (description.release, description.languages["balanced"]["en"]) == (2, "latin")
    assert description.models == (
        "page_reading", "text_detection", "latin", "full", "page_orientation",
    )  # fmt: skip


def test_models_are_found_by_their_task_whatever_they_are_called():
    config = model_config_pb2.ModelConfig()
    strategy = {
        "detection": "finder", "recognition": ["kana"],
        "page_orientation": "always", "textline_orientation": True,
    }  # fmt: skip
    tasks = {"turns": "page_orientation", "heads": "textline_orientation", "kana": "recognition"}
    values = {
        "release": 2,
        "strategies": {"accuracy": strategy},
        "languages": {},
        "models": {name: {"task": task} for name, task in tasks.items()},
    }
    for key, value in values.items():
        config.parameters[key].string_value = json.dumps(value)
    models = tensors.to_description(config).models
    assert models == ("page_reading", "finder", "kana", "turns", "heads")


def test_config_without_parameters_breaks_the_contract():
    with pytest.raises(EngineContractError, match="describe"):
        tensors.to_description(model_config_pb2.ModelConfig())

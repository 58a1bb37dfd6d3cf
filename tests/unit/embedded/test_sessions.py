import builtins
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedded.backends.onnxruntime.options import OptionError, read_options
from embedded.backends.onnxruntime.sessions import open_session
from tests.integration.tiny_models import halving_model, write_doubling_model

OPENVINO = {
    "optimization": {
        "execution_accelerators": {"cpu_execution_accelerator": [{"name": "openvino"}]}
    }
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_doubling_model(tmp_path, "doubling") / "doubling" / "1" / "model.onnx"


@pytest.mark.parametrize(("config", "engine"), [(OPENVINO, "OpenVINO"), ({}, "onnxruntime")])
def test_a_model_runs_on_the_engine_of_its_configuration(
    model: Path, config: dict[str, Any], engine: str
) -> None:
    session = open_session(model, read_options(config, "CPU", 0))
    assert session.description.startswith(engine)
    (taken,), (given,) = session.inputs, session.outputs
    assert (taken.name, taken.dtype, taken.shape) == ("X", np.float32, (None, None))
    assert (given.name, given.dtype) == ("Y", np.float32)


@pytest.mark.parametrize("config", [OPENVINO, {}])
def test_results_of_one_run_survive_the_next_of_another_shape(
    model: Path, config: dict[str, Any]
) -> None:
    session = open_session(model, read_options(config, "CPU", 0))
    small = session.run({"X": np.ones((1, 2), np.float32)})["Y"]
    large = session.run({"X": np.full((3, 5), 7, np.float32)})["Y"]
    np.testing.assert_array_equal(small, np.full((1, 2), 2))
    np.testing.assert_array_equal(large, np.full((3, 5), 14))


def test_without_openvino_the_model_runs_on_onnxruntime_and_says_so(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = builtins.__import__

    def without_openvino(name: str, *rest: Any) -> Any:
        if name == "openvino":
            raise ModuleNotFoundError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_openvino)
    session = open_session(model, read_options(OPENVINO, "CPU", 0))
    assert session.description.startswith("onnxruntime")
    assert "openvino is asked for and not installed" in session.description


def test_a_file_other_than_the_promised_one_is_refused(model: Path) -> None:
    right = hashlib.sha256(model.read_bytes()).hexdigest()
    open_session(model, read_options({"parameters": {"sha256": {"string_value": right}}}, "CPU", 0))
    wrong = read_options({"parameters": {"sha256": {"string_value": "0" * 64}}}, "CPU", 0)
    with pytest.raises(OptionError, match=right):
        open_session(model, wrong)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"no model\.onnx in"):
        open_session(tmp_path / "model.onnx", read_options({}, "CPU", 0))


@pytest.mark.parametrize("precision", ["FP32", "BF16"])
@pytest.mark.parametrize("batch", [0, 8])
def test_a_shape_that_the_model_cannot_take_gets_no_earlier_answer(
    tmp_path: Path, precision: str, batch: int
) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(halving_model().SerializeToString())
    wish = {"name": "openvino", "parameters": {"precision_mode": precision}}
    openvino = {"execution_accelerators": {"cpu_execution_accelerator": [wish]}}
    config = {"optimization": openvino, "max_batch_size": batch}
    session = open_session(model, read_options(config, "CPU", 0))
    secret = np.full((1, 1, 8), 42, np.float32)
    for width in (5, 7, 9):
        assert session.run({"X": secret})["Y"].tolist() == (2 * secret).tolist()
        with pytest.raises(RuntimeError):
            session.run({"X": np.ones((1, 1, width), np.float32)})

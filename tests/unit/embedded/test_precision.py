import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded.backends.onnxruntime.options import Accelerator, OptionError
from embedded.backends.onnxruntime.precision import FOLDER_VARIABLE, candidates, choose

ALL = ["FP32", "BF16", "INT8"]


@pytest.mark.parametrize(
    ("wish", "capabilities", "has_ranges", "expected"),
    [
        ({}, ALL, True, ["f32", "bf16", "int8"]),
        ({}, ALL, False, ["f32", "bf16"]),
        ({}, ["FP32", "INT8"], True, ["f32", "int8"]),
        ({}, ["FP32"], True, ["f32"]),
        ({"precision_mode": "FP32"}, ALL, True, ["f32"]),
        ({"precision_mode": "BF16"}, ["FP32"], False, ["bf16"]),
        ({"precision_mode": "INT8"}, ALL, True, ["int8"]),
    ],
)
def test_what_processor_and_file_allow_unless_told(
    wish: dict[str, str], capabilities: list[str], has_ranges: bool, expected: list[str]
) -> None:
    accelerator = Accelerator("openvino", wish)
    assert candidates(accelerator, capabilities, has_ranges=has_ranges) == expected


def test_int8_that_is_told_needs_ranges() -> None:
    with pytest.raises(OptionError, match="int8_ranges"):
        candidates(Accelerator("openvino", {"precision_mode": "INT8"}), ALL, has_ranges=False)


def work(milliseconds: float) -> None:
    """Use the processor for that long: the choice is by processor time."""
    end = time.process_time() + milliseconds / 1000
    while time.process_time() < end:
        pass


def maker(costs: dict[str, float], made: list[str]) -> Callable[[str], Callable[[], None]]:
    def make(precision: str) -> Callable[[], None]:
        made.append(precision)
        return lambda: work(costs[precision])

    return make


def test_the_fastest_is_taken() -> None:
    costs = {"f32": 6.0, "bf16": 12.0, "int8": 2.0}
    assert choose(list(costs), maker(costs, []), {}) == "int8"


def test_a_small_gain_is_not_worth_its_loss() -> None:
    costs = {"f32": 10.0, "int8": 9.7}
    assert choose(list(costs), maker(costs, []), {}) == "f32"


def test_the_choice_is_kept_for_the_next_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "tuning"))
    made: list[str] = []
    first = choose(["f32", "int8"], maker({"f32": 5.0, "int8": 1.0}, made), {"file": "a"})
    kept = choose(["f32", "int8"], maker({"f32": 1.0, "int8": 5.0}, made), {"file": "a"})
    other = choose(["f32", "int8"], maker({"f32": 1.0, "int8": 5.0}, made), {"file": "b"})
    assert (first, kept, other) == ("int8", "int8", "f32")
    assert len(made) == 4
    files = list((tmp_path / "tuning").iterdir())
    assert {json.loads(file.read_text())["file"] for file in files} == {"a", "b"}


def test_a_damaged_file_is_measured_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    make = maker({"f32": 4.0, "int8": 1.0}, [])
    choose(["f32", "int8"], make, {})
    (file,) = tmp_path.iterdir()
    file.write_text('{"millisec')
    assert choose(["f32", "int8"], make, {}) == "int8"
    assert json.loads(file.read_text())["milliseconds"]["int8"] < 4


def test_a_single_precision_needs_no_measurement() -> None:
    made: list[str] = []
    assert choose(["f32"], maker({"f32": 1.0}, made), {}) == "f32"
    assert not made

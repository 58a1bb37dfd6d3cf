import numpy as np
import pytest

from embedded.backends.onnxruntime.tensors import (
    Array,
    FreeSides,
    TensorError,
    TensorSpec,
    check_tensors,
)

SPEC = TensorSpec("X", np.dtype(np.uint8), (None, 48, None, 3))


def test_a_fitting_tensor_passes() -> None:
    check_tensors({"X": np.zeros((2, 48, 160, 3), np.uint8)}, [SPEC])


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros((1, 48, 160, 3), np.float32), "X is float32, the model takes uint8"),
        (np.zeros((1, 32, 160, 3), np.uint8), r"\[1, 32, 160, 3\].*\[-1, 48, -1, 3\]"),
        (np.zeros((48, 160, 3), np.uint8), r"\[48, 160, 3\]"),
        (np.zeros((1, 48, 0, 3), np.uint8), r"\[1, 48, 0, 3\]"),
    ],
)
def test_an_unfit_tensor_is_told(array: Array, told: str) -> None:
    with pytest.raises(TensorError, match=told):
        check_tensors({"X": array}, [SPEC])


@pytest.mark.parametrize("width", [8, 40, 64])
def test_a_free_side_within_the_limits_passes(width: int) -> None:
    check_tensors({"X": np.zeros((5, 48, width, 3), np.uint8)}, [SPEC], FreeSides(8, 64, 8))


@pytest.mark.parametrize("width", [1, 7, 12, 72])
def test_a_free_side_beyond_the_limits_is_told(width: int) -> None:
    told = f"multiples of 8 from 8 to 64, {width} is not"
    with pytest.raises(TensorError, match=told):
        check_tensors({"X": np.zeros((1, 48, width, 3), np.uint8)}, [SPEC], FreeSides(8, 64, 8))

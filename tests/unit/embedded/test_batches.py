from collections.abc import Mapping

import numpy as np
import pytest

from embedded.backends.onnxruntime.batches import (
    Array,
    Feeds,
    TensorError,
    answer_all,
    check_tensors,
)
from embedded.backends.onnxruntime.sessions import TensorSpec

SPEC = TensorSpec("X", np.dtype(np.uint8), (None, 48, None, 3))


class Doubling:
    """Y = 2·X; refuses a batch that holds the number 13."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        self.batches.append(len(feeds["X"]))
        if (feeds["X"] == 13).any():
            raise RuntimeError("unlucky")
        return {"Y": feeds["X"] * 2}


def rows(*values: int, width: int = 2) -> Feeds:
    return {"X": np.repeat(np.array(values)[:, None], width, axis=1)}


def test_requests_of_one_shape_run_once_and_are_told_apart() -> None:
    model = Doubling()
    answers = answer_all([rows(1), rows(2, 3), rows(4)], model.run, batched=True)
    assert model.batches == [4]
    assert [answer["Y"][:, 0].tolist() for answer in answers] == [[2], [4, 6], [8]]


def test_requests_of_different_shape_run_apart_and_keep_their_order() -> None:
    model = Doubling()
    answers = answer_all([rows(1), rows(2, width=5), rows(3)], model.run, batched=True)
    assert sorted(model.batches) == [1, 2]
    assert [answer["Y"].shape for answer in answers] == [(1, 2), (1, 5), (1, 2)]
    assert [answer["Y"][0, 0] for answer in answers] == [2, 4, 6]


def test_a_model_without_batches_runs_each_request_alone() -> None:
    model = Doubling()
    answer_all([rows(1), rows(2)], model.run, batched=False)
    assert model.batches == [1, 1]


def test_only_the_request_that_breaks_a_batch_fails() -> None:
    good, bad, other = answer_all([rows(1), rows(13), rows(2)], Doubling().run, batched=True)
    assert isinstance(bad, RuntimeError)
    assert good["Y"].tolist() == [[2, 2]]
    assert other["Y"].tolist() == [[4, 4]]


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

from collections.abc import Mapping

import numpy as np

from embedded.backends.onnxruntime.batches import answer_all
from embedded.backends.onnxruntime.tensors import AnswerError, Array, Feeds


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


def test_a_row_too_few_is_nobodys_answer() -> None:
    short = answer_all([rows(1), rows(2)], lambda feeds: {"Y": feeds["X"][1:]}, batched=True)
    assert all(isinstance(answer, AnswerError) for answer in short)

"""Requests that Triton merged: checked one by one, run together, answered one by one."""

from collections.abc import Callable, Sequence

import numpy as np

from embedded.backends.onnxruntime.tensors import AnswerError, Array, Feeds

Run = Callable[[Feeds], dict[str, Array]]
Answer = dict[str, Array] | Exception


def answer_all(requests: Sequence[Feeds], run: Run, *, batched: bool) -> list[Answer]:
    """Return the outputs of every request, or what went wrong with it.

    Requests of one shape run as one batch. Should that fail, each runs alone, so that only the
    culprit fails.

    Args:
        requests: Checked inputs, by name.
        run: Runs the model.
        batched: Whether the first dimension is a batch's.
    """
    answers: dict[int, Answer] = {}
    for indices in _groups(requests, batched):
        group = [requests[index] for index in indices]
        answers.update(zip(indices, _answer_group(group, run, batched), strict=True))
    return [answers[index] for index in range(len(requests))]


def _groups(requests: Sequence[Feeds], batched: bool) -> list[list[int]]:
    """Return the indices of the requests that may run together."""
    groups: dict[object, list[int]] = {}
    for index, feeds in enumerate(requests):
        shapes = tuple((name, array.shape[1:]) for name, array in sorted(feeds.items()))
        groups.setdefault(shapes if batched else index, []).append(index)
    return list(groups.values())


def _answer_group(group: Sequence[Feeds], run: Run, batched: bool) -> list[Answer]:
    if len(group) == 1:
        return [_answer_one(group[0], run, batched)]
    merged = {name: np.concatenate([feeds[name] for feeds in group]) for name in group[0]}
    try:
        outputs = _run(merged, run, batched)
    except Exception:  # noqa: BLE001 - one bad request must not take its neighbors along
        return [_answer_one(feeds, run, batched) for feeds in group]
    return _split(outputs, [_rows(feeds) for feeds in group])


def _answer_one(feeds: Feeds, run: Run, batched: bool) -> Answer:
    try:
        return _run(feeds, run, batched)
    except Exception as error:  # noqa: BLE001 - becomes this request's error
        return error


def _run(feeds: Feeds, run: Run, batched: bool) -> dict[str, Array]:
    """Run, and make sure that each row got its answer: nobody may get a neighbor's."""
    outputs = run(feeds)
    for name, array in outputs.items():
        if batched and array.shape[:1] != (_rows(feeds),):
            raise AnswerError(f"{name} has the shape {list(array.shape)} for {_rows(feeds)} rows")
    return outputs


def _rows(feeds: Feeds) -> int:
    return len(next(iter(feeds.values())))


def _split(outputs: Feeds, sizes: Sequence[int]) -> list[Answer]:
    ends = np.cumsum(sizes)
    return [
        {name: array[end - size : end] for name, array in outputs.items()}
        for size, end in zip(sizes, ends, strict=True)
    ]

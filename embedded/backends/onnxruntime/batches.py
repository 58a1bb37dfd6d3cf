"""Requests that Triton merged: checked one by one, run together, answered one by one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embedded.backends.onnxruntime.sessions import TensorSpec

Array = npt.NDArray[Any]
Feeds = Mapping[str, Array]
Run = Callable[[Feeds], dict[str, Array]]
Answer = dict[str, Array] | Exception


class TensorError(ValueError):
    """A request's tensors do not fit the model."""


def check_tensors(feeds: Feeds, specs: Sequence[TensorSpec]) -> None:
    """Make sure that a request gives what the model takes.

    Raises:
        TensorError: A tensor's type or shape differs; the text names it.
    """
    for spec in specs:
        array = feeds[spec.name]
        if array.dtype != spec.dtype:
            raise TensorError(f"{spec.name} is {array.dtype}, the model takes {spec.dtype}")
        fits = len(array.shape) == len(spec.shape) and all(
            wanted in (None, given) for wanted, given in zip(spec.shape, array.shape, strict=True)
        )
        if not fits or 0 in array.shape:
            raise TensorError(
                f"{spec.name} has the shape {list(array.shape)}, "
                f"the model takes {[-1 if d is None else d for d in spec.shape]}"
            )


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
        answers.update(zip(indices, _answer_group(group, run), strict=True))
    return [answers[index] for index in range(len(requests))]


def _groups(requests: Sequence[Feeds], batched: bool) -> list[list[int]]:
    """Return the indices of the requests that may run together."""
    groups: dict[object, list[int]] = {}
    for index, feeds in enumerate(requests):
        shapes = tuple((name, array.shape[1:]) for name, array in sorted(feeds.items()))
        groups.setdefault(shapes if batched else index, []).append(index)
    return list(groups.values())


def _answer_group(group: Sequence[Feeds], run: Run) -> list[Answer]:
    if len(group) == 1:
        return [_answer_one(group[0], run)]
    merged = {name: np.concatenate([feeds[name] for feeds in group]) for name in group[0]}
    try:
        outputs = run(merged)
    except Exception:  # noqa: BLE001 - one bad request must not take its neighbours along
        return [_answer_one(feeds, run) for feeds in group]
    return _split(outputs, [len(next(iter(feeds.values()))) for feeds in group])


def _answer_one(feeds: Feeds, run: Run) -> Answer:
    try:
        return run(feeds)
    except Exception as error:  # noqa: BLE001 - becomes this request's error
        return error


def _split(outputs: Mapping[str, Array], sizes: Sequence[int]) -> list[Answer]:
    ends = np.cumsum(sizes)
    return [
        {name: array[end - size : end] for name, array in outputs.items()}
        for size, end in zip(sizes, ends, strict=True)
    ]

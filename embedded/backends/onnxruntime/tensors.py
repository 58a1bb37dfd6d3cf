"""What goes into a model and comes out: specified, and checked on both sides of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Feeds = Mapping[str, Array]


class TensorError(ValueError):
    """A request's tensors do not fit the model."""


class AnswerError(RuntimeError):
    """A model gave no answer, or one of other rows than it was asked for."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: As in the ONNX file.
        dtype: Of its elements.
        shape: With the batch dimension, None where a dimension is free.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]

    def fits(self, shape: Sequence[int]) -> bool:
        """Return whether an array of this shape can be such a tensor."""
        return len(shape) == len(self.shape) and all(
            wanted in (None, given) for wanted, given in zip(self.shape, shape, strict=True)
        )


@dataclass(frozen=True)
class FreeSides:
    """What a model takes in the dimensions that it leaves free, the batch apart."""

    least: int = 1
    most: int | None = None
    multiple_of: int = 1

    def __str__(self) -> str:
        several = f"multiples of {self.multiple_of} " if self.multiple_of > 1 else ""
        upper = f"to {self.most}" if self.most else "on"
        return f"{several}from {self.least} {upper}"

    def allow(self, side: int) -> bool:
        """Return whether a side, in pixels, can be taken."""
        within = self.least <= side <= (self.most or side)
        return within and side % self.multiple_of == 0


def check_tensors(
    feeds: Feeds, specs: Sequence[TensorSpec], free_sides: FreeSides | None = None
) -> None:
    """Make sure that a request gives what the model takes.

    Raises:
        TensorError: A tensor's type or shape differs; the text names it.
    """
    for spec in specs:
        array = feeds[spec.name]
        if array.dtype != spec.dtype:
            raise TensorError(f"{spec.name} is {array.dtype}, the model takes {spec.dtype}")
        if not spec.fits(array.shape) or 0 in array.shape:
            raise TensorError(
                f"{spec.name} has the shape {list(array.shape)}, "
                f"the model takes {[-1 if d is None else d for d in spec.shape]}"
            )
        if free_sides is not None:
            _check_free_sides(array, spec, free_sides)


def _check_free_sides(array: Array, spec: TensorSpec, free_sides: FreeSides) -> None:
    for given, wanted in zip(array.shape[1:], spec.shape[1:], strict=True):
        if wanted is None and not free_sides.allow(given):
            raise TensorError(
                f"{spec.name} has the shape {list(array.shape)}: its free sides must be "
                f"{free_sides}, {given} is not"
            )

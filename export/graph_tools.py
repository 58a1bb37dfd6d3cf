"""Small steps that every change of a graph is made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from export.errors import SurgeryError


def array_of(value: ir.Value | None) -> npt.NDArray[np.float32]:
    """Return a constant's numbers; raises SurgeryError for anything that is computed."""
    if value is None or value.const_value is None:
        raise SurgeryError("weights are expected to be constants of the graph")
    array: npt.NDArray[np.float32] = value.const_value.numpy()
    return array


def constant(
    tape: ir.tape.Tape, name: str, array: npt.NDArray[np.generic] | np.generic
) -> ir.Value:
    """Add a constant to the graph."""
    return tape.initializer(ir.tensor(np.asarray(array), name=name))


def producer_of(value: ir.Value | None) -> ir.Node | None:
    """Return the node that computes a value; None for inputs, constants and what is left out."""
    return None if value is None else value.producer()

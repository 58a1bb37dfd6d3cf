"""Tensors of a model configuration, in Triton's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tritonclient.grpc import model_config_pb2 as triton


@dataclass(frozen=True)
class Tensor:
    """A named input or output; `dtype` is Triton's (`UINT8`, `STRING`, …), -1 a free dimension."""

    name: str
    dtype: str
    dims: tuple[int, ...]


def tensor_fields(tensor: Tensor) -> dict[str, Any]:
    """Return a tensor as fields of Triton's `ModelInput` and `ModelOutput`."""
    data_type = triton.DataType.Value(f"TYPE_{tensor.dtype}")
    return {"name": tensor.name, "data_type": data_type, "dims": tensor.dims}


def parameter(config: Any, key: str, value: str) -> None:
    """Set a parameter of a model configuration, which is always a string."""
    config.parameters[key].string_value = value

"""How a release's models are called in Triton, and the public names that lead to the live one."""

from __future__ import annotations

from typing import Any

from tritonclient.grpc import model_config_pb2 as triton

from export.tensors import parameter
from ocr_base.triton import MODEL_VERSION, served_name


def is_ensemble(config: Any) -> bool:
    """Return whether a model only wires others."""
    return bool(config.platform == "ensemble")


def served_config(config: Any, release: int) -> Any:
    """Return a model's configuration under its name in Triton; a Python step learns its release."""
    served = triton.ModelConfig()
    served.CopyFrom(config)
    served.name = served_name(config.name, release)
    if config.backend == "python":
        parameter(served, "release", str(release))
    return served


def public_config(config: Any, release: int) -> Any:
    """Return the ensemble that leads a public name to a release.

    An ensemble of the release keeps its wiring, any other model is the one step of its own. Who
    is in an ensemble when it is replaced stays with the models that it had.
    """
    if is_ensemble(config):
        public = triton.ModelConfig()
        public.CopyFrom(config)
        for step in public.ensemble_scheduling.step:
            step.model_name = served_name(step.model_name, release)
        return public
    return _one_step(config, release)


def _one_step(config: Any, release: int) -> Any:
    public = triton.ModelConfig(
        name=config.name,
        platform="ensemble",
        max_batch_size=config.max_batch_size,
        input=config.input,
        output=config.output,
    )
    for tensor in public.input:
        tensor.allow_ragged_batch = False  # the batcher's, which an ensemble does not have
    name = served_name(config.name, release)
    step = public.ensemble_scheduling.step.add(model_name=name, model_version=int(MODEL_VERSION))
    for tensor in config.input:
        step.input_map[tensor.name] = tensor.name
    for tensor in config.output:
        step.output_map[tensor.name] = tensor.name
    return public

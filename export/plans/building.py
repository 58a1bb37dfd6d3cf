# mypy: ignore-errors
"""Builds one plan; runs where TensorRT is: standard library and TensorRT only.

`python building.py REQUEST.json`: what to build is in the file, what was built goes to the
`record` that it names. Errors of TensorRT go to standard error; the exit status is then 1.
"""

import importlib
import json
import sys
import time
from pathlib import Path


def main(request_file):
    """Build, write, record."""
    request = json.loads(Path(request_file).read_text())
    trt = importlib.import_module(request["package"])
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = parse(trt, logger, builder, request["onnx"])
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, request["workspace_bytes"])
    if request["compute_capability"]:
        config.num_compute_capabilities = 1
        config.set_compute_capability(
            getattr(trt.ComputeCapability, request["compute_capability"]), 0
        )
    wanted = request["profile"]
    profile = builder.create_optimization_profile()
    profile.set_shape(wanted["tensor"], wanted["least"], wanted["usual"], wanted["most"])
    if config.add_optimization_profile(profile) < 0:
        raise SystemExit(f"the profile does not fit the network: {wanted}")
    cache = load_timing_cache(trt, config, Path(request["timing_cache"]))
    started = time.monotonic()
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise SystemExit("TensorRT built no plan")
    Path(request["plan"]).write_bytes(plan)
    if cache is not None:
        Path(request["timing_cache"]).write_bytes(config.get_timing_cache().serialize())
    record = {
        "tensorrt": trt.__version__,
        "seconds": round(time.monotonic() - started, 1),
        "profile": [list(shape) for shape in profile.get_shape(wanted["tensor"])],
        "inputs": describe(network.get_input(i) for i in range(network.num_inputs)),
        "outputs": describe(network.get_output(i) for i in range(network.num_outputs)),
    }
    Path(request["record"]).write_text(json.dumps(record))


def parse(trt, logger, builder, onnx_file):
    """The network, strongly typed: as of TensorRT 11 there is no other."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    network = builder.create_network(0 if flag is None else 1 << int(flag))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(Path(onnx_file).read_bytes()):
        errors = [str(parser.get_error(i)) for i in range(parser.num_errors)]
        raise SystemExit("\n".join(errors))
    return network


def load_timing_cache(trt, config, path):
    """The cache that makes the next build faster; TensorRT-RTX has none."""
    if trt.__name__ != "tensorrt":
        return None
    cache = config.create_timing_cache(path.read_bytes() if path.exists() else b"")
    config.set_timing_cache(cache, False)
    return cache


def describe(tensors):
    """Type and shape of each tensor by name; -1 is free."""
    return {t.name: [t.dtype.name, list(t.shape)] for t in tensors}


if __name__ == "__main__":
    main(sys.argv[1])

import copy
from typing import Any

import pytest

from embedded.backends.onnxruntime.options import (
    Accelerator,
    OptionError,
    read_options,
)

# As Triton hands it over: every list and message is there, empty when unset.
CONFIG: dict[str, Any] = {
    "default_model_filename": "model.onnx",
    "max_batch_size": 8,
    "optimization": {
        "graph": {"level": 1},
        "execution_accelerators": {
            "gpu_execution_accelerator": [
                {"name": "tensorrt", "parameters": {"precision_mode": "FP16"}}
            ],
            "cpu_execution_accelerator": [{"name": "openvino", "parameters": {}}],
        },
    },
    "parameters": {
        "intra_op_thread_count": {"string_value": "2"},
        "inter_op_thread_count": {"string_value": "1"},
        "execution_mode": {"string_value": "1"},
        "enable_mem_arena": {"string_value": "0"},
        "memory.enable_memory_arena_shrinkage": {"string_value": "cpu:0"},
    },
}


def changed(path: list[str], value: Any) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    target: Any = config
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return config


def test_the_words_of_the_official_backend_are_understood() -> None:
    options = read_options(CONFIG, "CPU", 0)
    assert (options.intra_op_threads, options.inter_op_threads) == (2, 1)
    assert options.parallel is True
    assert options.graph_level == "ORT_ENABLE_EXTENDED"
    assert options.memory_arena is False
    assert options.memory_pattern is None
    assert options.run_entries == {"memory.enable_memory_arena_shrinkage": "cpu:0"}


def test_an_instance_gets_the_accelerators_of_its_own_kind() -> None:
    on_cpu, on_gpu = read_options(CONFIG, "CPU", 0), read_options(CONFIG, "GPU", 3)
    assert on_cpu.openvino == Accelerator("openvino")
    assert on_cpu.gpu is None
    assert [a.name for a in on_gpu.accelerators] == ["tensorrt"]
    assert on_gpu.gpu == 3


def test_a_bare_configuration_gets_the_defaults() -> None:
    options = read_options({"max_batch_size": 0}, "CPU", 0)
    assert options.filename == "model.onnx"
    assert options.graph_level == "ORT_ENABLE_ALL"
    assert options.intra_op_threads == 0
    assert options.accelerators == ()


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (["parameters", "warp_speed"], {"string_value": "9"}, "warp_speed"),
        (["parameters", "intra_op_thread_count"], {"string_value": "two"}, "intra_op_thread_count"),
        (["parameters", "execution_mode"], {"string_value": "2"}, "execution_mode"),
        (
            ["parameters", "share_session_between_instances"],
            {"string_value": "true"},
            "share_session_between_instances",
        ),
        (["optimization", "graph", "level"], 7, "level 7"),
        (
            ["optimization", "execution_accelerators", "cpu_execution_accelerator"],
            [{"name": "abacus"}],
            "cpu_execution_accelerator abacus",
        ),
        (
            ["optimization", "execution_accelerators", "gpu_execution_accelerator"],
            [{"name": "auto_mixed_precision"}],
            "gpu_execution_accelerator auto_mixed_precision",
        ),
        (
            ["optimization", "execution_accelerators", "cpu_execution_accelerator"],
            [{"name": "openvino", "parameters": {"streams": "4"}}],
            "openvino: streams",
        ),
        (
            ["optimization", "execution_accelerators", "cpu_execution_accelerator"],
            [{"name": "openvino", "parameters": {"precision_mode": "INT3"}}],
            "INT3",
        ),
    ],
)
def test_what_is_not_known_is_refused_by_name(path: list[str], value: Any, named: str) -> None:
    with pytest.raises(OptionError, match=named):
        read_options(changed(path, value), "CPU", 0)


def test_an_unknown_kind_of_instance_is_refused() -> None:
    with pytest.raises(OptionError, match="KIND_MODEL"):
        read_options(CONFIG, "MODEL", 0)

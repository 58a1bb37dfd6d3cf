from typing import Any

import pytest

from embedded.backends.onnxruntime.options import Accelerator, OptionError, Options, read_options
from embedded.backends.onnxruntime.providers import (
    choose_providers,
    require_in_use,
    tensorrt_options,
)

WITH_GPU = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


def on_gpu(*accelerators: dict[str, Any]) -> Options:
    lists = {"gpu_execution_accelerator": accelerators}
    return read_options({"optimization": {"execution_accelerators": lists}}, "GPU", 1)


def test_tensorrt_comes_before_cuda_before_the_processor() -> None:
    providers = choose_providers(on_gpu({"name": "tensorrt"}), WITH_GPU)
    assert [name for name, _ in providers] == WITH_GPU
    assert providers[0][1] == providers[1][1] == {"device_id": "1"}


def test_cuda_takes_its_parameters_as_they_are() -> None:
    wish = {"name": "cuda", "parameters": {"cudnn_conv_use_max_workspace": "0"}}
    providers = choose_providers(on_gpu(wish), WITH_GPU)
    assert providers[0] == (
        "CUDAExecutionProvider",
        {"device_id": "1", "cudnn_conv_use_max_workspace": "0"},
    )


def test_a_gpu_instance_without_the_gpu_package_is_refused() -> None:
    with pytest.raises(OptionError, match=r"CUDAExecutionProvider.*gpu extra"):
        choose_providers(on_gpu(), ["CPUExecutionProvider"])


def test_a_silent_fall_back_to_the_processor_is_refused() -> None:
    wanted = choose_providers(on_gpu(), WITH_GPU)
    with pytest.raises(OptionError, match="CUDAExecutionProvider could not start"):
        require_in_use(wanted, ["CPUExecutionProvider"])


def test_tensorrt_parameters_get_the_names_of_onnxruntime() -> None:
    parameters = {
        "precision_mode": "FP16",
        "max_workspace_size_bytes": "1024",
        "trt_engine_cache_enable": "1",
    }
    assert tensorrt_options(Accelerator("tensorrt", parameters)) == {
        "trt_fp16_enable": "1",
        "trt_max_workspace_size": "1024",
        "trt_engine_cache_enable": "1",
    }


@pytest.mark.parametrize("parameters", [{"precision_mode": "FP4"}, {"turbo": "1"}])
def test_unknown_tensorrt_parameters_are_refused_by_name(parameters: dict[str, str]) -> None:
    with pytest.raises(OptionError, match=r"FP4|turbo"):
        tensorrt_options(Accelerator("tensorrt", parameters))

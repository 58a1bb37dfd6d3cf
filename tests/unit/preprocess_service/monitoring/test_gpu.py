import pynvml

from preprocess_service.monitoring.gpu import GpuProcess, GpusSeen, NoGpu, Nvml

GB = 1 << 30


def test_values_are_those_of_the_driver(nvml):
    status = Nvml().sample()
    assert isinstance(status, GpusSeen)
    first, second = status.devices
    assert (first.index, first.name, first.uuid) == (0, "Stub GPU", "GPU-stub-0")
    assert second.uuid == "GPU-stub-1"
    sizes = (first.memory_total_bytes, first.memory_used_bytes, first.memory_free_bytes)
    assert sizes == (16 * GB, 4 * GB, 12 * GB)
    assert (first.utilization, first.temperature_celsius, first.power_watts) == (0.37, 61, 71.5)
    assert first.processes == (
        GpuProcess(pid=4711, memory_used_bytes=4 * GB, memory_share=0.25),
        GpuProcess(pid=4712, memory_used_bytes=None, memory_share=None),
    )


def test_one_failed_query_is_null_and_nothing_else(nvml):
    nvml.turn("powerless", 1)
    first, second = Nvml().sample().devices
    assert (first.power_watts, second.power_watts) == (71.5, None)
    assert second.model_dump(exclude={"power_watts", "index", "uuid"}) == first.model_dump(
        exclude={"power_watts", "index", "uuid"}
    )


def test_device_lost_while_running_stays_in_the_list_without_figures(nvml):
    sampler = Nvml()
    assert sampler.sample().devices[1].name == "Stub GPU"
    nvml.turn("lost", 1)
    first, second = sampler.sample().devices
    assert first.name == "Stub GPU"
    assert {name for name, value in second if value is not None} == {"index"}
    nvml.turn("lost", -1)
    assert sampler.sample().devices[1].name == "Stub GPU"
    assert nvml.read("starts") == 1


def test_driver_that_comes_back_is_started_again(nvml):
    sampler = Nvml()
    nvml.turn("driver_is_gone", 1)
    assert sampler.sample() == NoGpu(reason="Driver Not Loaded")
    nvml.turn("driver_is_gone", 0)
    assert len(sampler.sample().devices) == 2
    nvml.turn("driver_is_gone", 1)
    assert not sampler.sample().available
    nvml.turn("driver_is_gone", 0)
    assert sampler.sample().available
    assert nvml.read("starts") == 2


def test_no_devices_is_no_gpu(nvml):
    nvml.turn("devices", 0)
    assert Nvml().sample() == NoGpu(reason="NVML finds no GPU.")


def test_no_library_is_no_gpu(monkeypatch):
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", missing)
    assert Nvml().sample() == NoGpu(reason="NVML Shared Library Not Found")


def test_driver_without_a_function_is_no_reason_to_fail(nvml, monkeypatch):
    # An old driver; the function is asked for by this name.
    monkeypatch.setitem(pynvml._nvmlGetFunctionPointer_cache, "nvmlDeviceGetUUID", _missing)
    assert Nvml().sample().devices[0].uuid is None


def _missing(*_: object) -> int:
    return pynvml.NVML_ERROR_FUNCTION_NOT_FOUND

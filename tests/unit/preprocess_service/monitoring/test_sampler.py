import math
import threading

from prometheus_client import REGISTRY

from preprocess_service.monitoring.gpu import GpusSeen, NoGpu, Nvml
from preprocess_service.monitoring.sampler import GpuSampler, free_gpu_bytes
from tests.waiting import until


async def test_figures_become_gauges_and_what_is_unknown_is_no_number(nvml):
    nvml.turn("powerless", 1)
    sampler = GpuSampler(Nvml().sample, interval_seconds=0.1)
    sampler.start(wait_seconds=5)
    try:
        assert isinstance(sampler.status, GpusSeen)
        assert _gauge("ocr_gpu_available") == 1
        assert _gauge("ocr_gpu_memory_bytes", gpu="0", state="free") == 12 << 30
        assert _gauge("ocr_gpu_utilization_ratio", gpu="1") == 0.37
        assert _gauge("ocr_gpu_power_watts", gpu="0") == 71.5
        assert math.isnan(_gauge("ocr_gpu_power_watts", gpu="1"))
        nvml.turn("driver_is_gone", 1)
        await until(lambda: not sampler.status.available)
        await until(lambda: _gauge("ocr_gpu_available") == 0)
        assert math.isnan(_gauge("ocr_gpu_memory_bytes", gpu="0", state="free"))
    finally:
        sampler.stop()


async def test_driver_that_hangs_is_not_shown_as_an_idle_gpu():
    hangs = threading.Event()
    sampler = GpuSampler(_answer_once_then_wait_for(hangs), interval_seconds=0.02)
    sampler.start(wait_seconds=5)
    try:
        await until(lambda: "has not answered" in getattr(sampler.status, "reason", ""))
    finally:
        hangs.set()
        sampler.stop()


def test_the_fullest_gpu_counts_and_one_that_says_nothing_does_not(nvml):
    nvml.turn("free_mb", 600)
    nvml.turn("lost", 0)
    assert free_gpu_bytes(Nvml().sample()) == 600 << 20
    nvml.turn("devices", 1)
    assert free_gpu_bytes(Nvml().sample()) is None


def _answer_once_then_wait_for(event: threading.Event):
    answers = iter([NoGpu(reason="as it should be")])

    def sample():
        try:
            return next(answers)
        except StopIteration:
            event.wait(30)
            return NoGpu(reason="too late")

    return sample


def _gauge(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(name, labels)
    assert value is not None
    return value

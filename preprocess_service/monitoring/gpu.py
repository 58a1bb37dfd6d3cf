"""What NVML says of the GPUs of this machine."""

import time
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import pynvml
from pydantic import BaseModel, ConfigDict, Field

Value = TypeVar("Value")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class GpuProcess(_Frozen):
    """One process that computes on a GPU."""

    pid: int = Field(description="As the driver's machine counts; a container counts otherwise.")
    memory_used_bytes: int | None
    memory_share: float | None = Field(description="Of the GPU's memory, 0 to 1.")


class Gpu(_Frozen):
    """One GPU; what it does not say is null."""

    index: int
    name: str | None = Field(default=None, examples=["NVIDIA A10G"])
    uuid: str | None = None
    memory_total_bytes: int | None = None
    memory_used_bytes: int | None = None
    memory_free_bytes: int | None = None
    utilization: float | None = Field(
        default=None, description="Share of time in which it computed, 0 to 1."
    )
    temperature_celsius: int | None = None
    power_watts: float | None = None
    processes: tuple[GpuProcess, ...] | None = None


class GpusSeen(_Frozen):
    """Every GPU of this machine."""

    available: Literal[True] = True
    sampled_at: float = Field(description="Unix time.")
    devices: tuple[Gpu, ...]


class NoGpu(_Frozen):
    """There is no GPU here, or nobody who could tell."""

    available: Literal[False] = False
    reason: str = Field(examples=["NVML Shared Library Not Found"])


GpuStatus = GpusSeen | NoGpu


class Nvml:
    """Asks the driver; starts with the first question, and anew when the driver was away."""

    def __init__(self) -> None:
        self._is_started = False

    def sample(self) -> GpuStatus:
        """What can be seen now."""
        try:
            if not self._is_started:
                pynvml.nvmlInit()
                self._is_started = True
            count = pynvml.nvmlDeviceGetCount()
        except pynvml.NVMLError as exc:
            self.close()
            return NoGpu(reason=str(exc))
        devices = tuple(_read_device(index) for index in range(count))
        if not devices:
            return NoGpu(reason="NVML finds no GPU.")
        if all(gpu.memory_total_bytes is None for gpu in devices):
            self.close()  # a driver that was replaced answers a new start only
        return GpusSeen(sampled_at=time.time(), devices=devices)

    def close(self) -> None:
        """Let go of the driver."""
        if self._is_started:
            self._is_started = False
            _ask(pynvml.nvmlShutdown)


def _read_device(index: int) -> Gpu:
    handle = _ask(lambda: pynvml.nvmlDeviceGetHandleByIndex(index))
    memory = _ask(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle))
    rates = _ask(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle))
    milliwatts = _ask(lambda: pynvml.nvmlDeviceGetPowerUsage(handle))
    return Gpu(
        index=index,
        name=_ask(lambda: pynvml.nvmlDeviceGetName(handle)),
        uuid=_ask(lambda: pynvml.nvmlDeviceGetUUID(handle)),
        memory_total_bytes=None if memory is None else memory.total,
        memory_used_bytes=None if memory is None else memory.used,
        memory_free_bytes=None if memory is None else memory.free,
        utilization=None if rates is None else rates.gpu / 100,
        temperature_celsius=_ask(
            lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)
        ),
        power_watts=None if milliwatts is None else milliwatts / 1000,
        processes=_read_processes(handle, memory),
    )


def _read_processes(handle: Any, memory: Any) -> tuple[GpuProcess, ...] | None:
    found = _ask(lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(handle))
    if found is None:
        return None
    total_bytes = None if memory is None else memory.total
    return tuple(_process(process.pid, process.usedGpuMemory, total_bytes) for process in found)


def _process(pid: int, used_bytes: int | None, total_bytes: int | None) -> GpuProcess:
    share = round(used_bytes / total_bytes, 4) if used_bytes is not None and total_bytes else None
    return GpuProcess(pid=pid, memory_used_bytes=used_bytes, memory_share=share)


def _ask(question: Callable[[], Value]) -> Value | None:
    # NVML answers a missing handle (NULL) with an error, like everything else it cannot say.
    try:
        return question()
    except pynvml.NVMLError:
        return None

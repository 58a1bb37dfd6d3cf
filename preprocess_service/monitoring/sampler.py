"""GPUs, looked at again and again beside the event loop."""

import threading
import time
from collections.abc import Callable

from preprocess_service import metrics
from preprocess_service.monitoring.gpu import Gpu, GpusSeen, GpuStatus, NoGpu

_NAN = float("nan")
# A driver that hangs must not look like a GPU that is idle.
_STALE_AFTER_INTERVALS = 5


class GpuSampler:
    """Keeps the latest `sample`, taken every `interval_seconds` in a thread of its own."""

    def __init__(self, sample: Callable[[], GpuStatus], interval_seconds: float) -> None:
        self._sample = sample
        self._interval_seconds = interval_seconds
        self._latest: GpuStatus = NoGpu(reason="No sample has been taken yet.")
        self._taken_at = time.monotonic()
        self._indices: set[int] = set()
        self._first = threading.Event()
        self._stop = threading.Event()
        # A driver that hangs must not keep the service from ending.
        self._thread = threading.Thread(target=self._run, name="gpu-sampler", daemon=True)

    def start(self, wait_seconds: float = 0) -> None:
        """Begin; waits that long for the first sample."""
        self._thread.start()
        self._first.wait(wait_seconds)

    def stop(self) -> None:
        """End; a sample under way is not waited for."""
        self._stop.set()

    @property
    def status(self) -> GpuStatus:
        """The latest sample; none where NVML has stopped answering."""
        age = time.monotonic() - self._taken_at
        if age > _STALE_AFTER_INTERVALS * self._interval_seconds:
            return NoGpu(reason=f"NVML has not answered for {age:.0f} seconds.")
        return self._latest

    def _run(self) -> None:
        while True:
            self._latest, self._taken_at = self._sample(), time.monotonic()
            self._publish(self._latest)
            self._first.set()
            if self._stop.wait(self._interval_seconds):
                return

    def _publish(self, status: GpuStatus) -> None:
        metrics.GPU_AVAILABLE.set(status.available)
        found = {gpu.index: gpu for gpu in _devices(status)}
        self._indices |= set(found)
        for index in self._indices:
            _publish_device(found.get(index) or Gpu(index=index))


def free_gpu_bytes(status: GpuStatus) -> int | None:
    """Free memory of the fullest GPU; None where no GPU says."""
    known = [gpu.memory_free_bytes for gpu in _devices(status)]
    return min((size for size in known if size is not None), default=None)


def _devices(status: GpuStatus) -> tuple[Gpu, ...]:
    return status.devices if isinstance(status, GpusSeen) else ()


def _publish_device(gpu: Gpu) -> None:
    label = str(gpu.index)
    memory = {
        "total": gpu.memory_total_bytes,
        "used": gpu.memory_used_bytes,
        "free": gpu.memory_free_bytes,
    }
    for state, size in memory.items():
        metrics.GPU_MEMORY_BYTES.labels(label, state).set(_or_nan(size))
    metrics.GPU_UTILIZATION.labels(label).set(_or_nan(gpu.utilization))
    metrics.GPU_TEMPERATURE.labels(label).set(_or_nan(gpu.temperature_celsius))
    metrics.GPU_POWER.labels(label).set(_or_nan(gpu.power_watts))


def _or_nan(value: float | None) -> float:
    return _NAN if value is None else value

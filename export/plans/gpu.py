"""The GPU of this machine, as far as plans depend on it."""

from __future__ import annotations

import pynvml


def gpu_architecture() -> str | None:
    """Return the first GPU's compute capability, such as SM89; None where NVML sees no GPU."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()
    return f"SM{major}{minor}"

"""Facts about the machine that a measurement holds for."""

import platform
from pathlib import Path

from ocr_base.machine import usable_memory_bytes


def describe_machine(cores: int) -> dict[str, str]:
    """Return the facts by name, for people."""
    return {
        "processor": _processor_name(),
        "cores used": str(cores),
        "memory": f"{usable_memory_bytes() / 2**30:.0f} GiB",
        "system": platform.platform(),
        "Python": platform.python_version(),
    }


def _processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

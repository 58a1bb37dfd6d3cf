"""Python, C library, memory, processors, disk and GPU."""

import ctypes.util
import platform
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from ocr_base.machine import (
    MINIMUM_GLIBC,
    SUPPORTED_PYTHONS,
    usable_cores,
    usable_memory_bytes,
)
from ocr_cli.doctor.check import Check, Level, passed_or

# All models of all strategies take 2 GiB, the peak of a reading stack is 2.7 (docs/performance.md).
_LEAST_MEMORY_GIB, _GOOD_MEMORY_GIB = 4, 6
# Packages, models and the cache of downloads take 1.5.
_LEAST_DISK_GIB, _GOOD_DISK_GIB = 2, 5

_GIB = 1 << 30


def check_machine(settings: Mapping[str, str]) -> list[Check]:
    """A row for each part of the machine."""
    folder = Path(settings.get("DATA_DIR", "."))
    return [
        check_platform(),
        check_python(sys.version_info[:2]),
        check_libpython(),
        check_cores(usable_cores()),
        check_memory(usable_memory_bytes() / _GIB),
        check_disk(folder, shutil.disk_usage(_existing(folder)).free / _GIB),
        check_gpu(),
    ]


def check_platform() -> Check:
    """Whether the wheel's Triton runs on this system at all."""
    library, version = platform.libc_ver()
    found = f"{platform.system()} {platform.machine()}, {library or 'C library'} {version}"
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    is_good = (
        (platform.system(), platform.machine()) == ("Linux", "x86_64")
        and library == "glibc"
        and numbers >= MINIMUM_GLIBC
    )
    wanted = "needs x86_64 Linux with glibc 2.35 (Debian 12, Ubuntu 22.04), or a Triton elsewhere: "
    return passed_or(is_good, "system", found, ("fail", f"{wanted}set TRITON_URL"))


def check_python(version: tuple[int, ...]) -> Check:
    """Whether this Python is one that Triton's stub exists for."""
    found = f"{'.'.join(map(str, version))} ({sys.executable})"
    remedy = ".tools/bin/uv sync --python 3.11 --extra embedded --extra export"
    return passed_or(version in SUPPORTED_PYTHONS, "Python", found, ("fail", remedy))


def check_libpython() -> Check:
    """Whether there is the shared library that Triton's Python stub is linked to."""
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    name = f"libpython{minor}.so.1.0"
    folders = [sysconfig.get_config_var("LIBDIR"), str(Path(sys.base_prefix) / "lib")]
    beside = [folder for folder in folders if folder and (Path(folder) / name).exists()]
    found = beside[0] if beside else ctypes.util.find_library(f"python{minor}")
    shown = f"{name}: {found or 'missing'}"
    remedy = f"sudo apt-get install libpython{minor}"
    return passed_or(bool(found), "libpython", shown, ("fail", remedy))


def check_cores(count: int) -> Check:
    """How many processors this process may use."""
    remedy = "reading is slow with one: give the container more"
    return passed_or(count > 1, "processors", str(count), ("warn", remedy))


def check_memory(gib: float) -> Check:
    """Whether the models fit into memory."""
    level: Level = "fail" if gib < _LEAST_MEMORY_GIB else "warn"
    remedy = f"a stack that reads takes 3 GiB: {_GOOD_MEMORY_GIB} or more leave room"
    return passed_or(gib >= _GOOD_MEMORY_GIB, "memory", f"{gib:.1f} GiB", (level, remedy))


def check_disk(folder: Path, free_gib: float) -> Check:
    """Whether packages, models, uploads and results fit on the disk."""
    level: Level = "fail" if free_gib < _LEAST_DISK_GIB else "warn"
    found = f"{free_gib:.1f} GiB free for {folder.absolute()}"
    remedy = "free some, or set DATA_DIR to a larger disk"
    return passed_or(free_gib >= _GOOD_DISK_GIB, "disk", found, (level, remedy))


def check_gpu() -> Check:
    """What NVIDIA's driver says; a machine without a GPU is a good machine."""
    import pynvml  # what reads documents needs no driver library

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as exc:
        return Check("GPU", "ok", f"none, processors read ({exc})")
    try:
        count = pynvml.nvmlDeviceGetCount()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
        devices = [
            f"{pynvml.nvmlDeviceGetName(handle)}, "
            f"{pynvml.nvmlDeviceGetMemoryInfo(handle).free / _GIB:.1f} GiB free"
            for handle in handles
        ]
    except pynvml.NVMLError as exc:
        return Check("GPU", "warn", f"the driver answers {exc}", "nvidia-smi")
    finally:
        pynvml.nvmlShutdown()
    return Check("GPU", "ok", "; ".join(devices) or "a driver without devices, processors read")


def _existing(folder: Path) -> Path:
    absolute = folder.absolute()
    return next(path for path in (absolute, *absolute.parents) if path.exists())

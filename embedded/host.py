"""Whether this machine, Python and environment can run the server of the wheel."""

import ctypes.util
import os
import platform
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from embedded.errors import UnsupportedHostError
from ocr_base.machine import MINIMUM_GLIBC, SUPPORTED_PYTHONS

WHEEL = "nvidia-pytriton"
_INSTALL = "Run `make setup` and start with .venv/bin/python."
_ELSEWHERE = "Run the Triton container instead, and point the front service at it with TRITON_URL."


def require_supported_host() -> None:
    """Make sure that the wheel's server can run here at all.

    Raises:
        UnsupportedHostError: The text says what is missing and what to do.
    """
    _require_platform(platform.system(), platform.machine())
    _require_glibc(_glibc_version())
    _require_python(sys.version_info[:2])
    _require_numpy(_installed_version("numpy"))


def find_wheel() -> Path:
    """Return the `site-packages` folder that the server's wheel is installed in.

    Raises:
        UnsupportedHostError: The wheel is not installed in this environment.
    """
    try:
        return Path(str(metadata.distribution(WHEEL).locate_file("")))
    except metadata.PackageNotFoundError as error:
        raise UnsupportedHostError(
            f"The wheel {WHEEL}, which carries Triton, is not installed for {sys.executable}. "
            f"{_INSTALL}"
        ) from error


def find_python_library() -> Path | None:
    """Return the folder of this Python's shared library, None where the loader finds it.

    Triton's Python stub is linked to `libpython3.N.so`. An interpreter that a tool brought has it
    beside itself; a distribution's is in the loader's path.

    Raises:
        UnsupportedHostError: There is no such library on this machine.
    """
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    name = f"libpython{minor}.so.1.0"
    for folder in (sysconfig.get_config_var("LIBDIR"), Path(sys.base_prefix) / "lib"):
        if folder and (Path(folder) / name).exists():
            return Path(folder)
    if ctypes.util.find_library(f"python{minor}"):
        return None
    raise UnsupportedHostError(
        f"Triton's Python stub needs {name}, and neither {sys.base_prefix} nor the system has it. "
        f"Install libpython{minor}, or use a Python that has it, such as `uv python install`'s."
    )


def _require_platform(system: str, machine: str) -> None:
    if (system, machine) != ("Linux", "x86_64"):
        raise UnsupportedHostError(
            f"The embedded Triton runs on Linux x86_64, this is {system} {machine}. {_ELSEWHERE}"
        )


def _require_glibc(version: tuple[int, ...] | None) -> None:
    if version is None or version < MINIMUM_GLIBC:
        found = "another C library" if version is None else "glibc " + ".".join(map(str, version))
        raise UnsupportedHostError(
            "The embedded Triton needs glibc 2.35 or newer (Debian 12, Ubuntu 22.04), "
            f"this system has {found}. {_ELSEWHERE}"
        )


def _require_python(version: tuple[int, ...]) -> None:
    if version not in SUPPORTED_PYTHONS:
        raise UnsupportedHostError(
            "The embedded Triton runs with Python 3.10, 3.11 or 3.12, "
            f"this is {'.'.join(map(str, version))}. Make the environment with one of them, "
            "for example `.tools/bin/uv sync --python 3.11 --extra embedded --extra export`."
        )


def _require_numpy(version: str | None) -> None:
    if version is None or int(version.split(".")[0]) >= 2:
        raise UnsupportedHostError(
            f"Triton's Python stub needs numpy older than 2, {sys.executable} has "
            f"{version or 'none'}: under numpy 2 every tensor would arrive filled with its first "
            f"element. {_INSTALL}"
        )


def _glibc_version() -> tuple[int, ...] | None:
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        return None
    return tuple(int(part) for part in text.split()[-1].split(".")) if text else None


def _installed_version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None

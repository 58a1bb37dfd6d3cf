"""Whether a release fits this host: its disk and memory, and its GPU where it has plans."""

from __future__ import annotations

import shutil
from pathlib import Path

from export.configs import read_config
from export.host import read_versions
from releases.errors import ReleaseError
from releases.manifest import Manifest

_MEMINFO = Path("/proc/meminfo")
#: Of the disk, left free for everything else.
_DISK_RESERVE = 256 << 20
#: Measured on the embedded Triton: docs/decisions/0008-releases.md.
_MODEL_FACTOR = 10
_BYTES_PER_INSTANCE = 80 << 20
_REBUILD = "python -m releases stage --device gpu --engine tensorrt"


def require_disk(folder: Path, size: int) -> None:
    """Make sure that `size` more bytes find room on a folder's disk.

    Raises:
        ReleaseError: They do not.
    """
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < size + _DISK_RESERVE:
        raise ReleaseError(
            f"the disk of {folder} has {_mib(free)} free, {_mib(size + _DISK_RESERVE)} are needed: "
            "free some, `python -m releases prune` removes old releases, or set RELEASES_DIR"
        )


def require_memory(models: Path, meminfo: Path = _MEMINFO) -> None:
    """Make sure that a release can be loaded beside what runs on this machine.

    Raises:
        ReleaseError: It would take more memory than is free.
    """
    needed, free = memory_needed(models), _available(meminfo)
    if free is not None and free < needed:
        raise ReleaseError(
            f"the release takes about {_mib(needed)} of memory, {_mib(free)} are free: "
            "`python -m releases prune --keep 1` unloads the others but the live one"
        )


def require_fit(manifest: Manifest, architecture: str | None) -> None:
    """Make sure that a release's plans were built for this host; others pass.

    Args:
        manifest: The release's.
        architecture: Of the GPU, such as SM89; None where none can be seen from here, as in a
            container without it: then Triton decides when it loads the plan.

    Raises:
        ReleaseError: They were not; the text has the command that builds them anew.
    """
    needs = manifest.needs
    here = {"gpu": architecture, "tensorrt": read_versions()["TENSORRT_VERSION"]}
    if "gpu" not in needs:
        return
    for what, found in here.items():
        if found is not None and not needs[what].startswith(found):
            raise ReleaseError(
                f"its plans were built for {what} {needs[what]}, this host has {found}: "
                f"build them here with `{_REBUILD}`"
            )


def memory_needed(models: Path) -> int:
    """Return an estimate of the bytes that Triton takes for a release."""
    weights = sum(
        file.stat().st_size for file in models.glob("*/*/model.*") if file.suffix != ".py"
    )
    groups = (g for f in models.glob("*/config.pbtxt") for g in read_config(f).instance_group)
    instances = sum(int(group.count) for group in groups)
    return weights * _MODEL_FACTOR + instances * _BYTES_PER_INSTANCE


def _available(meminfo: Path) -> int | None:
    if not meminfo.exists():
        return None
    lines = (line.split() for line in meminfo.read_text().splitlines())
    return next((int(line[1]) << 10 for line in lines if line[0] == "MemAvailable:"), None)


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"

"""The part of the machine that this process may use, as its control groups (both kinds) bound it.

`root` is the folder that `proc` and `sys` are looked for in.
"""

import os
from collections.abc import Iterator
from pathlib import Path

SUPPORTED_PYTHONS = ((3, 10), (3, 11), (3, 12))
"""Those that the wheel's Triton has a stub for."""

MINIMUM_GLIBC = (2, 35)
"""Of the wheel's tag, manylinux_2_35."""

_ROOT = Path("/")


def usable_cores(root: Path = _ROOT) -> int:
    """Return how many cores this process may keep busy: its affinity, cut by its groups' quotas."""
    quotas = [int(quota) for quota in map(_cpu_quota, _groups(root, "cpu")) if quota is not None]
    return max(1, min([len(os.sched_getaffinity(0)), *quotas]))


def usable_memory_bytes(root: Path = _ROOT) -> int:
    """Return the machine's memory, or what this process's groups may take where it is less."""
    machine = _read_table(root / "proc/meminfo")["MemTotal:"] << 10
    limits = [limit for limit, _ in map(_memory, _groups(root, "memory")) if limit is not None]
    return min([machine, *limits])


def free_memory_bytes(root: Path = _ROOT) -> int:
    """Return what can still be taken: of the machine, and within the limits of the groups."""
    machine = _read_table(root / "proc/meminfo")["MemAvailable:"] << 10
    groups = map(_memory, _groups(root, "memory"))
    return min([machine, *(max(limit - used, 0) for limit, used in groups if limit is not None)])


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the process's groups and of those around them, whose limits hold too.

    In a container the own path may be that of the host, and the mount the group itself.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") > 1):
        if controllers and controller not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / (controller if controllers else "")
        own = mount / path.lstrip("/")
        yield from (group for group in (own, *own.parents) if group.is_relative_to(mount))


def _cpu_quota(group: Path) -> float | None:
    """Cores that a group may keep busy, None where it has no limit."""
    try:
        if (version_2 := group / "cpu.max").exists():
            quota, period = version_2.read_text().split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text()
            period = (group / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError):  # "max" is no number
        return None


def _memory(group: Path) -> tuple[int | None, int]:
    """A group's limit, None where it has none, and the bytes that it cannot give back."""
    try:
        if (version_2 := group / "memory.max").exists():
            limit, used, files = version_2, "memory.current", "inactive_file"
        else:
            limit, used = group / "memory.limit_in_bytes", "memory.usage_in_bytes"
            files = "total_inactive_file"
        # Pages of files count as used until somebody needs their memory.
        reclaimable = _read_table(group / "memory.stat")[files]
        return int(limit.read_text()), int((group / used).read_text()) - reclaimable
    except (OSError, KeyError, ValueError):  # "max" is no number
        return None, 0


def _read_table(path: Path) -> dict[str, int]:
    rows = (line.split() for line in path.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1}

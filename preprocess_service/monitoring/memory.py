"""How much memory is left, and how much work that allows."""

from pathlib import Path


def share_allowed(free_bytes: int, buffer_bytes: int) -> float:
    """The share of the full batch size that may be in flight, 0 to 1.

    All of it while twice the buffer is free, falling evenly to nothing as the free memory falls to
    the buffer, which so stays free.
    """
    if buffer_bytes == 0:
        return 1.0
    return min(max(free_bytes / buffer_bytes - 1, 0.0), 1.0)


def free_machine_bytes(root: Path = Path("/")) -> int:
    """Memory that can still be taken: of the machine, or of this process's control group."""
    fields = _read_table(root / "proc/meminfo")
    available = fields["MemAvailable:"] * 1024
    of_group = _free_of_group(root)
    return available if of_group is None else min(available, of_group)


def _free_of_group(root: Path) -> int | None:
    """What the control group (version 2) has left; None where it has no limit."""
    try:
        path = (root / "proc/self/cgroup").read_text().partition("0::/")[2].partition("\n")[0]
        group = root / "sys/fs/cgroup" / path
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        # Pages of files count as used until somebody needs their memory.
        reclaimable = _read_table(group / "memory.stat")["inactive_file"]
    except (OSError, KeyError, ValueError):
        return None
    return None if limit == "max" else max(int(limit) - used + reclaimable, 0)


def _read_table(path: Path) -> dict[str, int]:
    rows = (line.split() for line in path.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1}

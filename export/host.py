"""What the machine that will serve the repository has."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from export.spec import Device

Precision = Literal["FP32", "FP16"]

CGROUP_V2 = Path("/sys/fs/cgroup/cpu.max")
CGROUP_V1 = Path("/sys/fs/cgroup/cpu")


@dataclass(frozen=True)
class Host:
    """Where the repository will be served.

    Attributes:
        device: What the models run on.
        cores: CPU cores that they may use.
        precision: TensorRT's, on a GPU only.
        engine_cache: Folder on the serving host where TensorRT keeps the engines it built.
    """

    device: Device = "cpu"
    cores: int = 1
    precision: Precision = "FP16"
    engine_cache: str = "/var/cache/ocr-server/tensorrt"


def usable_cores(v2: Path = CGROUP_V2, v1: Path = CGROUP_V1) -> int:
    """Return the cores that this process may use: its affinity, cut by its control group's quota.

    Args:
        v2: The `cpu.max` file of cgroup v2.
        v1: The `cpu` folder of cgroup v1.
    """
    cores = len(os.sched_getaffinity(0))
    quota = _quota(v2, v1)
    return cores if quota is None else max(1, min(cores, math.floor(quota)))


def _quota(v2: Path, v1: Path) -> float | None:
    try:
        if v2.exists():
            quota, period = v2.read_text().split()
        else:
            quota = (v1 / "cpu.cfs_quota_us").read_text().strip()
            period = (v1 / "cpu.cfs_period_us").read_text().strip()
        return None if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError):
        return None

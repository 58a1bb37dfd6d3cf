"""What the machine that will serve the repository has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from export.errors import HostError
from export.spec import Device

Engine = Literal["onnxruntime", "tensorrt"]
Precision = Literal["auto", "FP32", "FP16", "BF16", "INT8"]

GPU_PRECISIONS = ("FP32", "FP16", "INT8")
#: Versions of what serves, in one place for containers, releases and tests.
VERSIONS = Path(__file__).parent.parent / "deploy" / "versions.env"


@dataclass(frozen=True)
class Host:
    """Where the repository will be served.

    Attributes:
        device: What the models run on.
        cores: CPU cores that they may use.
        precision: What the models compute in; on a CPU `auto` takes what is fastest there.
        engine: What runs the models: `onnxruntime`, on a GPU with its TensorRT provider, or plans
            built when the release is staged, on the GPU that will serve it.
        engine_cache: Folder on the serving host where TensorRT keeps the engines it built.
    """

    device: Device = "cpu"
    cores: int = 1
    precision: Precision = "auto"
    engine: Engine = "onnxruntime"
    engine_cache: str = "/var/cache/ocr-server/tensorrt"

    def __post_init__(self) -> None:
        if self.engine == "tensorrt" and self.device != "gpu":
            raise HostError("TensorRT needs a GPU: add --device gpu")
        if self.device == "gpu" and self.precision not in GPU_PRECISIONS:
            known = ", ".join(GPU_PRECISIONS)
            raise HostError(f"a GPU computes in {known}, not {self.precision} (TENSORRT_PRECISION)")

    @property
    def needs(self) -> dict[str, str]:
        """What a release for this host is served by."""
        versions = read_versions()
        needed = {"triton": versions["TRITON_VERSION"]}
        if self.device == "gpu":
            needed["tensorrt"] = versions["TENSORRT_VERSION"]
        return needed


def read_versions(file: Path = VERSIONS) -> dict[str, str]:
    """Return the versions that belong together, by name."""
    lines = (line for line in file.read_text(encoding="utf-8").splitlines() if "=" in line)
    pairs = (line.split("=", 1) for line in lines if not line.startswith("#"))
    return {line[0]: line[1] for line in pairs}

"""`python -m releases plan`: TensorRT plans of exported models, with a record beside each."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from export.digests import sha256_of
from export.environments import environment_python
from export.errors import PlanError
from export.host import Precision
from export.plans.gpu import gpu_architecture
from export.precision import with_precision
from export.profiles import profile_of
from export.spec import Spec
from export.tensors import onnx_input, onnx_outputs

#: Detection of eight of the largest canvases on SM75 asks for a little over two.
WORKSPACE_BYTES = 4 << 30
_SCRIPT = Path(__file__).with_name("building.py")
_RTX = Path(__file__).with_name("rtx.txt")
#: How Triton calls TensorRT's types.
_DTYPES = {"UINT8": "UINT8", "INT32": "INT32", "FLOAT": "FP32", "HALF": "FP16", "INT64": "INT64"}


@dataclass(frozen=True)
class Target:
    """What a plan is for: the GPU of this machine, or a named compute capability such as SM89.

    A plan runs on that architecture and that version of TensorRT alone.
    """

    compute_capability: str | None
    precision: Precision


@dataclass(frozen=True)
class PlanBuilder:
    """Builds plans into a folder; downloads and timing caches are kept in `cache`."""

    spec: Spec
    target: Target
    output: Path
    cache: Path

    def build(self, name: str, onnx: bytes) -> dict[str, Any]:
        """Write NAME.plan and its record NAME.plan.json, and return the record.

        Raises:
            PlanError: TensorRT is missing, refuses the graph, or its tensors are others than
                models.toml says.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        typed = with_precision(onnx, self.target.precision)
        with tempfile.TemporaryDirectory(dir=self.output, prefix=".building-") as folder:
            built = self._run(name, typed, Path(folder))
            self._check_tensors(name, built)
            plan = Path(folder) / "model.plan"
            record = {
                "model": name,
                **asdict(self.target),
                **built,
                "gpu": self.target.compute_capability or gpu_architecture(),
                "workspace_bytes": WORKSPACE_BYTES,
                "onnx_sha256": sha256_of(onnx),
                "sha256": sha256_of(plan.read_bytes()),
                "bytes": plan.stat().st_size,
            }
            plan.replace(self.output / f"{name}.plan")
        (self.output / f"{name}.plan.json").write_text(json.dumps(record, indent=1) + "\n")
        return record

    def _run(self, name: str, onnx: bytes, folder: Path) -> dict[str, Any]:
        python, package = self._tensorrt()
        (folder / "model.onnx").write_bytes(onnx)
        request = {
            "package": package,
            "compute_capability": self.target.compute_capability,
            "workspace_bytes": WORKSPACE_BYTES,
            "profile": asdict(profile_of(self.spec, name)),
            "timing_cache": str(self.cache / f"timing-{package}-{self._architecture}.cache"),
            "onnx": str(folder / "model.onnx"),
            "plan": str(folder / "model.plan"),
            "record": str(folder / "record.json"),
        }
        (folder / "request.json").write_text(json.dumps(request))
        command = [str(python), "-I", str(_SCRIPT), str(folder / "request.json")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines()[-12:]
            raise PlanError("\n".join((f"{name}: TensorRT builds no plan:", *said)))
        record: dict[str, Any] = json.loads((folder / "record.json").read_text())
        return {"package": package, **record}

    @property
    def _architecture(self) -> str:
        return self.target.compute_capability or "here"

    def _tensorrt(self) -> tuple[Path, str]:
        if self.target.compute_capability is not None:
            return environment_python(_RTX, self.cache), "tensorrt_rtx"
        if importlib.util.find_spec("tensorrt") is None:
            raise PlanError(
                "TensorRT is not installed here: build in the container that serves, on its GPU, "
                "or name a --compute-capability to prove with TensorRT-RTX that plans can be built"
            )
        return Path(sys.executable), "tensorrt"

    def _check_tensors(self, name: str, built: dict[str, Any]) -> None:
        model = self.spec.models[name]
        wanted = {t.name: t.dtype for t in (onnx_input(self.spec, model), *onnx_outputs(model))}
        tensors = {**built["inputs"], **built["outputs"]}
        found = {tensor: _DTYPES.get(dtype, dtype) for tensor, (dtype, _) in tensors.items()}
        if found != wanted:
            raise PlanError(f"{name}: the plan has {found}, models.toml says {wanted}")

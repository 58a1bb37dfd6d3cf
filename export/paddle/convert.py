"""A Paddle inference model as ONNX, converted once by paddle2onnx and kept in the cache."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from export.digests import sha256_of
from export.environments import environment_python
from export.errors import PaddleError

#: Every operator of PP-OCR is in it, and it is what the published ONNX files of it have.
OPSET = 14
PARAMETERS = ".pdiparams"


@dataclass(frozen=True)
class PaddleModel:
    """The two files of an inference model; `form` is `pdmodel` or `json`."""

    name: str
    form: str
    program: bytes
    parameters: bytes

    @property
    def requirements(self) -> Path:
        """What reads this form."""
        return Path(__file__).with_name(f"{self.form}.txt")

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both files under the names that Paddle wants, and return their paths."""
        program = folder / f"inference.{self.form}"
        parameters = folder / f"inference{PARAMETERS}"
        program.write_bytes(self.program)
        parameters.write_bytes(self.parameters)
        return program, parameters


def convert(model: PaddleModel, cache: Path) -> bytes:
    """Return the model as ONNX: float input [N,3,H,W], its own output.

    Raises:
        PaddleError: paddle2onnx refuses the model; what it says is in the message.
    """
    python = environment_python(model.requirements, cache)
    key = sha256_of(f"{python.parent.parent.name} {OPSET}".encode() + _content(model))
    kept = cache / "paddle" / f"{key[:16]}.onnx"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".incoming-") as folder:
            _run_paddle2onnx(python, model, Path(folder)).replace(kept)
    return kept.read_bytes()


def _content(model: PaddleModel) -> bytes:
    return f"{sha256_of(model.program)}{sha256_of(model.parameters)}".encode()


def _run_paddle2onnx(python: Path, model: PaddleModel, folder: Path) -> Path:
    program, parameters = model.write(folder)
    output = folder / "model.onnx"
    # fmt: off
    command = [
        str(python.with_name("paddle2onnx")), "--model_dir", str(folder),
        "--model_filename", program.name, "--params_filename", parameters.name,
        "--save_file", str(output), "--opset_version", str(OPSET),
    ]
    # fmt: on
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode or not output.exists():
        said = (done.stderr + done.stdout).strip().splitlines()[-8:]
        raise PaddleError("\n".join((f"{model.name}: paddle2onnx cannot convert it:", *said)))
    return output

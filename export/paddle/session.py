"""A Paddle model that answers, with the face of an onnxruntime session."""

from __future__ import annotations

import subprocess
import tempfile
import weakref
from pathlib import Path
from types import SimpleNamespace as _Pipe  # what numpy takes for no file: those it seeks in

import numpy as np
import numpy.typing as npt
from numpy.lib.format import read_array, write_array

from export.environments import environment_python
from export.errors import PaddleError
from export.paddle.convert import PaddleModel

_SCRIPT = Path(__file__).with_name("answering.py")


class PaddleSession:
    """A process of Paddle on the CPU, ended with this object."""

    def __init__(self, model: PaddleModel, cache: Path) -> None:
        self._name = model.name
        self._folder = tempfile.TemporaryDirectory(prefix="paddle-")
        files = map(str, model.write(Path(self._folder.name)))
        command = [str(environment_python(model.requirements, cache)), "-I", str(_SCRIPT), *files]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - our own script
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )
        weakref.finalize(self, self._process.kill)

    def run(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the model's only output.

        Raises:
            PaddleError: Paddle failed; what it said last is in the message.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            # numpy annotates neither.
            write_array(_Pipe(write=self._process.stdin.write), pixels)  # type: ignore[no-untyped-call]
            self._process.stdin.flush()
            answer = read_array(_Pipe(read=self._process.stdout.read))  # type: ignore[no-untyped-call]
            return np.asarray(answer, np.float32)
        except (OSError, EOFError, ValueError) as error:
            self._log.seek(0)
            said = self._log.read().decode(errors="replace").strip().splitlines()[-8:]
            raise PaddleError("\n".join((f"{self._name}: Paddle cannot run it:", *said))) from error

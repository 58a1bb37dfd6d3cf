"""No library of the server tells anyone that it runs."""

import subprocess
import sys
from importlib.util import find_spec

IMPORT_OPENVINO = "import openvino, threading; print([t.name for t in threading.enumerate()])"


def test_openvino_has_nobody_to_tell() -> None:
    assert find_spec("openvino_telemetry") is None
    command = [sys.executable, "-c", IMPORT_OPENVINO]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['MainThread']"

"""Triton in its container: the live release, and its control closed to everyone without the key.

Its argument is the file of that key.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from embedded.command_line import hide_argument
from embedded.repository import ModelsMissingError, make_engine_folders, models_to_load
from embedded.triton_health import is_live
from ocr_base.triton import CONTROL_APIS, CONTROL_HEADER


def arguments(models: Path, grpc_port: int, key: str) -> list[str]:
    """Return the whole command line of Triton."""
    names = models_to_load(models)
    make_engine_folders(models, names)
    control = f"{','.join(CONTROL_APIS)}:{CONTROL_HEADER}={key}"
    return [
        "tritonserver",
        f"--model-repository={models}",
        "--model-control-mode=explicit",
        *(f"--load-model={name}" for name in names),
        *(f"--grpc-port={grpc_port}", f"--grpc-restricted-protocol={control}"),
        *("--metrics-port=8002", "--allow-http=false"),
        f"--exit-timeout-secs={os.environ.get('TRITON_STOP_TIMEOUT', '30')}",
    ]


def main(key_file: Path) -> int:
    """Run Triton until it ends or is asked to; return its exit code, 128 + N after signal N."""
    grpc_port, key = int(os.environ.get("TRITON_GRPC_PORT", "8001")), key_file.read_text().strip()
    try:
        command = arguments(Path(os.environ.get("MODEL_REPOSITORY", "/models")), grpc_port, key)
    except ModelsMissingError as error:
        sys.exit(f"error: {error}")
    with subprocess.Popen(command) as triton:  # noqa: S603 - our own Triton
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda given, _: triton.send_signal(given))
        while triton.poll() is None and not is_live(f"127.0.0.1:{grpc_port}"):
            time.sleep(1)
        if triton.poll() is None and not hide_argument(triton.pid, key):
            told = "the control key stays in Triton's command line: this system forbids tracing"
            sys.stderr.write(f"warning: {told}\n")
        code = triton.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

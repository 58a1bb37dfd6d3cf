"""NVIDIA's load generator, from the wheel of `tritonclient`, on a running Triton.

Its binary wants two libraries that the server's wheel carries under names of its own.
"""

import base64
import importlib.util
import json
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pymupdf

from embedded.errors import EmbeddedError
from embedded.front import sample_page
from embedded.settings import Settings
from ocr_base.reading import PAGE_DPI

# The name that the binary looks for → the file's name in the wheel, before its hash.
_LIBRARIES = {"libb64.so.0d": "libb64-*.so.0d", "libcudart.so.12": "libcudart-*.so.12*"}
# Means over a fixed number of requests: a busy processor is never as steady as time windows want.
_DEFAULTS = (
    *("-m", "ocr_speed", "--concurrency-range", "1:4", "--stability-percentage", "50"),
    *("--measurement-mode", "count_windows", "--measurement-request-count", "20"),
)


def run_perf_analyzer(settings: Settings, arguments: Sequence[str]) -> int:
    """Send the sample page as an image to a model; returns `perf_analyzer`'s exit status.

    Args:
        settings: Where Triton listens, and a folder for the input and the links.
        arguments: Options of `perf_analyzer`; they come after the defaults and so override them.

    Raises:
        EmbeddedError: A file that is needed is not installed.
    """
    folder = settings.runtime_dir / "perf_analyzer"
    folder.mkdir(parents=True, exist_ok=True)
    _link_libraries(folder)
    command = [
        str(_binary()),
        *_DEFAULTS,
        *("-i", "grpc", "-u", settings.triton_grpc_address),
        *("--input-data", str(_write_input(folder)), "--shape", "IMAGE:1"),
        *arguments,
    ]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder.resolve())}
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - as asked


def _binary() -> Path:
    binary = Path(sys.executable).parent / "perf_analyzer"
    if not binary.is_file():
        raise EmbeddedError(f"There is no {binary}: install `tritonclient` with `make setup`.")
    return binary


def _link_libraries(folder: Path) -> None:
    package = importlib.util.find_spec("pytriton")
    if package is None or package.origin is None:
        raise EmbeddedError("nvidia-pytriton is not installed: run `make setup`.")
    carried = Path(package.origin).parents[1] / "nvidia_pytriton.libs"
    for name, pattern in _LIBRARIES.items():
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(next(carried.glob(pattern)))


def _write_input(folder: Path) -> Path:
    with pymupdf.open(stream=sample_page(), filetype="pdf") as document:
        image = document[0].get_pixmap(dpi=PAGE_DPI).tobytes("png")
    # The bytes of a BYTES tensor: each element's length, then the element.
    tensor = struct.pack("<I", len(image)) + image
    encoded = {"IMAGE": {"b64": base64.b64encode(tensor).decode()}}
    path = folder / "input.json"
    path.write_text(json.dumps({"data": [encoded]}))
    return path

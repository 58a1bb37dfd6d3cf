import ctypes
import shutil
import subprocess
from pathlib import Path

import pynvml
import pytest

SOURCE = Path(__file__).with_name("nvml_stub.c")


class StubNvml:
    """The knobs of the stub driver."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        for name, value in {"devices": 2, "driver_is_gone": 0, "lost": -1, "powerless": -1}.items():
            self.turn(name, value)
        self.turn("free_mb", 12288)
        self.turn("starts", 0)

    def turn(self, name: str, value: int) -> None:
        ctypes.c_int.in_dll(self._library, f"stub_{name}").value = value

    def read(self, name: str) -> int:
        return ctypes.c_int.in_dll(self._library, f"stub_{name}").value


@pytest.fixture(scope="session")
def nvml_folder(tmp_path_factory) -> Path:
    """A folder with a libnvidia-ml.so.1 for LD_LIBRARY_PATH."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler (cc, gcc or clang) to build the stub driver with")
    folder = tmp_path_factory.mktemp("nvml")
    library = folder / "libnvidia-ml.so.1"
    command = [compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, SOURCE]
    subprocess.run(command, check=True)
    return folder


@pytest.fixture
def nvml(nvml_folder, monkeypatch) -> StubNvml:
    """pynvml of this process on the stub driver, as new."""
    library = ctypes.CDLL(str(nvml_folder / "libnvidia-ml.so.1"))
    monkeypatch.setattr(pynvml, "nvmlLib", library)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return StubNvml(library)

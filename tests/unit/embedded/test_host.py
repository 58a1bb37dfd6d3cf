from pathlib import Path

import pytest

from embedded import host
from embedded.errors import UnsupportedHostError


def test_this_machine_is_supported() -> None:
    host.require_supported_host()
    assert (host.find_wheel() / "pytriton" / "tritonserver" / "bin" / "tritonserver").exists()


@pytest.mark.parametrize("found", [("Darwin", "arm64"), ("Linux", "aarch64"), ("Windows", "AMD64")])
def test_another_platform_is_sent_to_the_container(found: tuple[str, str]) -> None:
    with pytest.raises(UnsupportedHostError, match=f"{found[0]} {found[1]}.*TRITON_URL"):
        host._require_platform(*found)


@pytest.mark.parametrize(
    ("version", "told"), [((2, 31), r"glibc 2\.31"), (None, "another C library")]
)
def test_an_old_or_foreign_c_library_is_told(version: tuple[int, ...] | None, told: str) -> None:
    with pytest.raises(UnsupportedHostError, match=told):
        host._require_glibc(version)


@pytest.mark.parametrize("version", [(3, 9), (3, 13)])
def test_an_unsupported_python_is_told(version: tuple[int, int]) -> None:
    with pytest.raises(UnsupportedHostError, match=f"this is {version[0]}.{version[1]}"):
        host._require_python(version)


@pytest.mark.parametrize("version", ["2.0.1", "2.3.4", None])
def test_numpy_2_is_refused_with_the_reason(version: str | None) -> None:
    with pytest.raises(UnsupportedHostError, match="numpy older than 2"):
        host._require_numpy(version)


def test_a_missing_wheel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "WHEEL", "no-such-wheel")
    with pytest.raises(UnsupportedHostError, match=r"no-such-wheel.*make setup"):
        host.find_wheel()


def test_a_python_without_shared_library_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sysconfig.get_config_var", lambda _: str(tmp_path))
    monkeypatch.setattr("sys.base_prefix", str(tmp_path))
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    with pytest.raises(UnsupportedHostError, match=r"libpython3\.\d+\.so"):
        host.find_python_library()


def test_a_library_beside_the_python_is_preferred(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.version_info", (3, 11, 0))
    monkeypatch.setattr("sysconfig.get_config_var", lambda _: str(tmp_path))
    (tmp_path / "libpython3.11.so.1.0").touch()
    assert host.find_python_library() == tmp_path

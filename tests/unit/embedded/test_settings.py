from pathlib import Path

import pytest

from embedded.errors import EmbeddedError
from embedded.settings import Settings, read_settings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_GRPC_PORT", "9001")
    monkeypatch.setenv("TRITON_HOST", "0.0.0.0")
    monkeypatch.setenv("RUNTIME_DIR", "/var/lib/ocr")
    settings = read_settings()
    assert settings.triton_grpc_address == "127.0.0.1:9001"
    assert settings.runtime_dir == Path("/var/lib/ocr")


def test_every_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_GRPC_PORT", "high")
    monkeypatch.setenv("PORT", "70000")
    with pytest.raises(EmbeddedError, match=r"PORT: .*TRITON_GRPC_PORT: "):
        read_settings()


@pytest.mark.parametrize(
    ("host", "keys", "is_open"),
    [("127.0.0.1", None, False), ("0.0.0.0", None, True), ("::", None, True),
     ("0.0.0.0", "a-key-of-sixteen-signs", False), ("::1", None, False)],
)  # fmt: skip
def test_a_service_that_everyone_reaches_without_a_key_is_known(host, keys, is_open):
    settings = Settings(host=host, api_keys=keys, _env_file=None)
    assert settings.is_open_to_everyone == is_open

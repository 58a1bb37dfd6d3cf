from pathlib import Path

import pytest

from embedded.errors import EmbeddedError
from embedded.settings import CHECKOUT, Settings, read_settings

_UNSET = {"triton_control_key": "drawn"}


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


def test_the_page_of_settings_is_complete_and_true() -> None:
    page = (CHECKOUT / "docs" / "embedded.md").read_text()
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, Path):
            default = f"{default.relative_to(CHECKOUT)}/"
        shown = _UNSET.get(name, "") if default is None else f"`{default}`"
        assert f"| `{name.upper()}` | {shown} | {field.description} |" in page

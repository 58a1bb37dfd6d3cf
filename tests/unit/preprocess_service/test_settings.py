from pathlib import Path

import pytest

from preprocess_service import settings as settings_module
from preprocess_service.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_environment_wins_over_env_file_wins_over_default(monkeypatch, env_file):
    env_file.write_text("PORT=9000\nDEFAULT_DPI=150\n")
    monkeypatch.setenv("PORT", "9001")
    settings = load_settings(env_file)
    assert (settings.port, settings.default_dpi, settings.max_batch_size) == (9001, 150, 50)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eighty"), ("PORT", "70000"), ("DEFAULT_DPI", "20"), ("LOG_LEVEL", "LOUD"),
     ("TRITON_URL", "http://triton:8001"), ("TRITON_URL", "triton")],
)  # fmt: skip
def test_ill_typed_value_stops_the_start_by_name(monkeypatch, env_file, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}: .*{value}"):
        load_settings(env_file)


def test_unknown_name_in_env_file_stops_the_start(env_file):
    env_file.write_text("FLUX_CAPACITY=3\n")
    with pytest.raises(SettingsError, match="no such setting: FLUX_CAPACITY"):
        load_settings(env_file)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("TRITON_ULR", "TRITON_URL"), ("MAX_FILE_SIZE", "MAX_FILE_SIZE_MB"),
     ("REQUEST_TIMEOUTS", "REQUEST_TIMEOUT"), ("DEFAULT-DPI", "DEFAULT_DPI"),
     ("OTEL_EXPORTER_OTLP_ENDPIONT", "OTEL_EXPORTER_OTLP_ENDPOINT")],
)  # fmt: skip
def test_near_miss_in_the_environment_stops_the_start(monkeypatch, env_file, variable, meant):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(SettingsError, match=f"{variable} looks like the setting {meant}"):
        load_settings(env_file)


@pytest.mark.parametrize("variable", ["TRITON_PORT", "TRITON_SERVICE_HOST", "HOSTNAME", "PORTS"])
def test_foreign_variables_are_left_alone(monkeypatch, env_file, variable):
    monkeypatch.setenv(variable, "tcp://10.0.0.1:8001")
    assert load_settings(env_file).port == 8000


@pytest.mark.parametrize(
    "variable",
    ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"],
)
def test_standard_names_of_opentelemetry_are_left_to_it(monkeypatch, env_file, variable):
    monkeypatch.setenv(variable, "http://collector:4318/v1/other")
    assert load_settings(env_file).traces_url is None


def test_traces_go_below_the_endpoint_or_to_an_endpoint_of_their_own(monkeypatch, env_file):
    assert load_settings(env_file).traces_url is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")
    assert load_settings(env_file).traces_url == "http://collector:4318/v1/traces"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://tempo/traces")
    assert load_settings(env_file).traces_url == "https://tempo/traces"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        load_settings(env_file)


def test_names_of_other_parts_may_stand_in_the_same_env_file(env_file):
    env_file.write_text("TRITON_STARTUP_TIMEOUT=60\nport=8100\n")
    assert load_settings(env_file).port == 8100


def test_scheme_of_triton_is_taken_off(monkeypatch, env_file):
    monkeypatch.setenv("TRITON_URL", "grpc://triton:8001")
    assert load_settings(env_file).triton_url == "triton:8001"


def test_containers_give_secrets_as_files(monkeypatch, tmp_path):
    (tmp_path / "redis_url").write_text("redis://:from-a-file@valkey:6379/0")
    (tmp_path / "api_keys").write_text("a-key-of-16-chars\n")
    monkeypatch.setattr(settings_module, "SECRETS_DIR", tmp_path)
    settings = load_settings(tmp_path / "none.env")
    assert settings.redis_url.get_secret_value() == "redis://:from-a-file@valkey:6379/0"
    assert settings.api_keys.get_secret_value() == "a-key-of-16-chars"
    (tmp_path / "api_keys").write_text("")
    assert not load_settings(tmp_path / "none.env").api_keys

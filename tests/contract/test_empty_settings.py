"""Empty means unset: for every setting of every program, wherever it stands."""

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from embedded.backends.onnxruntime import precision
from embedded.settings import Settings as EmbeddedSettings
from export.fetch import _pip_environment
from ocr_base.settings import EnvironmentSettings, StackSettings
from ocr_cli.arguments import make_parser
from preprocess_service.settings import Settings, load_settings
from releases.settings import Settings as ExportSettings

TABLES = (Settings, EmbeddedSettings, ExportSettings)
EVERY_SETTING = [(table, name) for table in TABLES for name in table.model_fields]


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    for _, name in EVERY_SETTING:
        monkeypatch.setenv(name.upper(), "")


def read(table: type[BaseSettings], folder: Path) -> BaseSettings:
    return table(_env_file=folder / ".env", _secrets_dir=folder / "secrets")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / ".env").touch()
    return tmp_path


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__module__)
def test_empty_everywhere_is_the_default(table, folder):
    (folder / ".env").write_text("".join(f"{name.upper()}=\n" for name in table.model_fields))
    for name in table.model_fields:
        (folder / "secrets" / name).write_text("\n")
    settings = read(table, folder)
    assert {name: getattr(settings, name) for name in table.model_fields} == {
        name: field.default for name, field in table.model_fields.items()
    }
    assert settings.model_fields_set == set()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__module__)
def test_empty_leaves_the_word_to_the_next_place(table, folder):
    is_service = "webhook_secret" in table.model_fields
    name = "webhook_secret" if is_service else "triton_control_key"
    value = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
    (folder / "secrets" / name).write_text(value)
    (folder / ".env").write_text(f"{name.upper()}=\n")
    assert getattr(read(table, folder), name).get_secret_value() == value
    (folder / "secrets" / name).write_text("")
    (folder / ".env").write_text(f"{name.upper()}={value}\n")
    assert getattr(read(table, folder), name).get_secret_value() == value


def test_no_table_reads_in_another_way():
    tables = [t for t in _below(BaseSettings) if t.__module__.endswith(".settings")]
    ours = {table for table in tables if not table.__module__.startswith("pydantic")}
    assert ours == {EnvironmentSettings, StackSettings, *TABLES}
    assert {*TABLES} <= {*_below(EnvironmentSettings)}


def _below(table: type) -> list[type]:
    return [found for sub in table.__subclasses__() for found in (sub, *_below(sub))]


def test_a_misspelt_variable_that_is_empty_says_nothing(monkeypatch, folder):
    monkeypatch.setenv("TRITON_ULR", "")
    assert load_settings(folder / ".env").triton_url == "127.0.0.1:8001"


def test_the_command_line_has_its_defaults(monkeypatch):
    for name in ("OCR_SERVER", "OCR_API_KEY", "OCR_PASSWORD"):
        monkeypatch.setenv(name, "")
    given = make_parser().parse_args(["scan", "page.png"])
    assert given.server == "http://127.0.0.1:8000"
    assert (given.api_key, given.password) == (None, None)


def test_choices_of_precision_are_kept_where_they_are_else(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(precision.FOLDER_VARIABLE, "")
    precision.choose(["f32", "bf16"], lambda name: lambda: None, {})
    assert not list(tmp_path.iterdir())


def test_an_empty_index_is_none(monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "")
    monkeypatch.setenv("PIP_INDEX_URL", "")
    monkeypatch.setenv("UV_INDEX_URL", "https://index.example.org/simple")
    assert _pip_environment()["PIP_INDEX_URL"] == "https://index.example.org/simple"

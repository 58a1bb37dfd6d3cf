"""`docs/configuration.md` lists every setting with its default and what it does, and no other."""

import re
from itertools import combinations
from pathlib import Path

from pydantic import BaseModel, SecretStr

from embedded.settings import Settings as EmbeddedSettings
from export.host import read_versions
from ocr_base.places import CHECKOUT
from preprocess_service.settings import NAMES_OF_OTHER_PARTS, Settings
from releases.settings import Settings as ExportSettings

#: What docker-compose.yml reads of `.env` beside settings.
OF_COMPOSE = {"GRAFANA_PORT", "SERVICE_MEMORY", "TRITON_MEMORY"}
DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


def _row(name: str, default: object, description: str | None) -> str:
    if isinstance(default, Path) and default.is_absolute():
        default = default.relative_to(CHECKOUT)
    shown = (
        ""
        if default in (None, ()) or isinstance(default, SecretStr)
        else f"`{default:g}`"
        if isinstance(default, float)
        else f"`{default}`"
    )
    return f"| `{name.upper()}` | {shown} | {description} |"


def _rows(settings: type[BaseModel], leave_out: frozenset[str] = frozenset()) -> list[str]:
    return [
        _row(name, field.default, field.description)
        for name, field in settings.model_fields.items()
        if name.upper() not in leave_out
    ]


def test_every_setting_is_a_row_of_the_docs_and_every_row_a_setting():
    of_service = frozenset(name.upper() for name in Settings.model_fields)
    of_stack = of_service | {name.upper() for name in EmbeddedSettings.model_fields}
    expected = [
        *_rows(Settings),
        *_rows(EmbeddedSettings, leave_out=of_service),
        *_rows(ExportSettings, leave_out=frozenset(of_stack)),
    ]
    documented = re.findall(r"^\| `[A-Z_]+` \|.*$", DOCS.read_text(), flags=re.MULTILINE)
    assert documented == expected


def test_names_that_the_service_leaves_to_others_are_theirs():
    others = (*EmbeddedSettings.model_fields, *ExportSettings.model_fields)
    embedded = {name.upper() for name in others}
    service = {name.upper() for name in Settings.model_fields}
    assert embedded - service | OF_COMPOSE == NAMES_OF_OTHER_PARTS


def test_the_compose_file_reads_no_other_name():
    text = (CHECKOUT / "docker-compose.yml").read_text()
    read = set(re.findall(r"\$\{(\w+)", text)) - set(read_versions())
    known = {name.upper() for name in (*Settings.model_fields, *ExportSettings.model_fields)}
    assert read - known == OF_COMPOSE | {
        "COMPOSE_PROJECT_NAME",
        "DEVICE",
        "OCR_VERSION",
    }  # the Makefile's
    described = DOCS.read_text().partition("## Containers")[2]
    assert set(re.findall(r"`([A-Z_]{4,})`", described)) >= OF_COMPOSE | (read & known)


def test_settings_of_both_parts_agree():
    tables = (Settings.model_fields, EmbeddedSettings.model_fields, ExportSettings.model_fields)
    for one, other in combinations(tables, 2):
        shared = set(one) & set(other)
        assert shared
        for name in shared:
            assert one[name].default == other[name].default, name

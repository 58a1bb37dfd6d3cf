"""What is generated is as the code would write it now, and can be used."""

import re
from pathlib import Path

import pytest

from docs.generated import GENERATED
from ocr_base.places import CHECKOUT
from preprocess_service.settings import Settings, load_settings


@pytest.mark.parametrize("name", GENERATED)
def test_it_is_what_the_code_says(name):
    assert (CHECKOUT / name).read_text() == GENERATED[name](), "run `make docs`"


def test_the_example_of_settings_is_one(tmp_path: Path, monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    example = (CHECKOUT / ".env.example").read_text()
    given = re.sub(r"^#(?=[A-Z_]+=)", "", example, flags=re.MULTILINE)
    (tmp_path / ".env").write_text(given)
    assert load_settings(tmp_path / ".env") == Settings.model_construct()

from __future__ import annotations

from pathlib import Path

import pytest

from export.errors import SpecError
from export.spec import ModelSpec, SourceSpec
from export.tables import MODELS_TOML, read_spec


def test_the_projects_table_is_valid_and_complete() -> None:
    spec = read_spec(MODELS_TOML)
    assert {model.task for model in spec.models.values()} == {
        "detection",
        "recognition",
        "textline_orientation",
        "page_orientation",
    }
    assert {"speed", "balanced", "accuracy"} <= set(spec.strategies)
    assert all(len(source.sha256) == 64 and source.licence for source in spec.sources.values())


def test_canvases_and_widths_fit_the_networks() -> None:
    tasks = read_spec(MODELS_TOML).tasks
    assert all(side % 32 == 0 for canvas in tasks.detection.canvases for side in canvas)
    assert all(width % tasks.recognition.pixels_per_step == 0 for width in tasks.recognition.widths)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("min_side = 3", "min_side = 3\nmin_seid = 4", "tasks.detection.min_seid"),
        ("padding = 127", "", "tasks.recognition.padding"),
        ("unclip_ratio = 1.4", 'unclip_ratio = "wide"', "tasks.detection.unclip_ratio"),
        ('source = "world"', 'source = "moon"', "models.text_detection.source: 'moon'"),
        ('detection = "text_detection"', 'detection = "gone"', "strategies.balanced.detection"),
        ('detection = "text_detection"', 'detection = "page_orientation"', "the task 'page_or"),
        ("models.page_orientation", "models.page_r1", "models.page_r1: a name"),
        ('task = "page_orientation"', 'task = "textline_orientation"', "here it is none"),
        ('alphabet = "latin"', 'alphabet = "latn"', "models.text_recognition_latin.alphabet"),
        ('licence = "CC0-1.0"', 'licence = ""\nurl = "https://x"', "exactly one of wheel"),
        ('file = "det.onnx"', 'file = "det.onnx"\nalphabet = "full"', "and no other"),
        ("max_pixels = 1000000", "max_pixels = ", "cannot be read"),
    ],
)
def test_a_mistake_is_named(models_toml: Path, before: str, after: str, named: str) -> None:
    models_toml.write_text(models_toml.read_text().replace(before, after, 1))
    with pytest.raises(SpecError, match=named.replace("(", r"\(")) as raised:
        read_spec(models_toml)
    assert str(models_toml) in str(raised.value)


def test_a_missing_table_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        read_spec(tmp_path / "none.toml")


def test_place_and_files() -> None:
    assert SourceSpec(sha256="0", licence="x", wheel="a==1").place == "a==1"
    model = ModelSpec(task="recognition", source="s", file="f", dictionary="d", alphabet="full")
    assert model.files == ("f", "d")


def test_a_table_that_extends_another_says_only_what_differs(models_toml: Path) -> None:
    base = read_spec(models_toml)
    mine = models_toml.with_name("mine.toml")
    mine.write_text(
        f'extends = "{models_toml.name}"\nwithout = ["textline_orientation"]\n'
        "[tasks.detection]\nbox_threshold = 0.75\n"
        "[strategies.accuracy]\ntextline_orientation = false\n"
        '[models.text_detection]\ntask = "detection"\nsource = "world"\nfile = "mine.pdmodel"\n'
    )
    spec = read_spec(mine)
    assert set(base.models) - set(spec.models) == {"textline_orientation"}
    assert spec.models["text_detection"].files == ("mine.pdmodel", "mine.pdiparams")
    assert spec.models["text_detection"].int8_skip is None
    assert spec.tasks.detection.box_threshold == 0.75
    assert spec.tasks.detection.canvases == base.tasks.detection.canvases

"""The manifest as it is read."""

import json

import pytest

from quality.items import ManifestError, load_items

ENTRY = {
    "id": "one",
    "file": "one.pdf",
    "page": 2,
    "kind": "pdf",
    "language": "ja",
    "width": 10,
    "height": 20,
    "full_text": "x",
    "case": "upper",
    "space_reliable": False,
    "use_for": ["text_bag"],
    "words": [
        {"text": "a", "box": [0, 0, 1, 1]},
        {"text": "b", "box": [1, 1, 2, 2], "ignore": True},
    ],
    "ignore_regions": [[3, 3, 4, 4], {"box": [5, 5, 6, 6]}],
}


def test_entry_is_read_with_its_rules(tmp_path):
    (tmp_path / "one.pdf").touch()
    (tmp_path / "manifest.json").write_text(json.dumps([ENTRY]))
    (item,) = load_items(tmp_path)
    assert item.is_pdf
    assert item.page_number == 2
    assert item.ignores_case
    assert not item.has_reliable_spaces
    assert item.ignored_boxes == ((3, 3, 4, 4), (5, 5, 6, 6), (1, 1, 2, 2))


def test_missing_file_is_named(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps([ENTRY]))
    with pytest.raises(ManifestError, match=r"one\.pdf"):
        load_items(tmp_path)


@pytest.mark.parametrize("content", ["{", "[{}]", "[3]"])
def test_unreadable_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ManifestError, match="not a readable manifest"):
        load_items(tmp_path)


def test_folder_without_manifest_is_refused(tmp_path):
    with pytest.raises(ManifestError):
        load_items(tmp_path)

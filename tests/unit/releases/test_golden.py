from __future__ import annotations

from pathlib import Path

import pytest

from export.languages import read_languages
from releases.errors import ReleaseError
from releases.golden import golden_pages
from releases.letters import letters_page


def test_drawn_pages_are_few_and_of_several_scripts() -> None:
    pages = golden_pages(None)
    assert len(pages) == 9
    assert {page.item.language for page in pages} == {"en", "de", "fr", "zh", "ja"}
    assert all(page.pixels.shape[2] == 3 for page in pages)


def test_a_folder_without_labelled_pages_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ReleaseError, match="no page of"):
        golden_pages(tmp_path)
    with pytest.raises(ReleaseError, match="--pages"):
        golden_pages(tmp_path / "none")


@pytest.mark.parametrize("codes", [["en"], ["az"], ["ru", "pl"], ["klingon"]])
def test_a_page_of_letters_holds_those_of_its_languages(codes: list[str]) -> None:
    languages = read_languages()
    page = letters_page(codes, languages)
    wanted = {letter for code in codes if code in languages for letter in languages[code].letters}
    assert wanted <= set(page.item.full_text)
    assert max(page.pixels.shape) <= 800
    ink = (page.pixels.min(axis=2) < 128).any(axis=1)
    assert ink[: len(ink) // 4].any()
    assert not ink[-20:].any()


def test_the_longest_page_of_letters_holds_them_all() -> None:
    languages = read_languages()
    page = letters_page(list(languages), languages)
    ink = (page.pixels.min(axis=2) < 128).any(axis=1)
    assert not ink[-20:].any()

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from export.alphabet import read_dictionary
from export.errors import AlphabetError, SpecError
from export.languages import (
    LETTERS_OF_ALL,
    Language,
    default_recognizer,
    find_gap,
    needs,
    read_languages,
    recognizers_by_language,
    require,
    written,
)
from export.spec import Spec
from export.tables import MODELS_TOML, read_spec

BASIC = "\n".join(LETTERS_OF_ALL.replace(" ", ""))
GERMAN = Language("German", "äöüß")


def test_the_table_holds_the_worlds_main_languages() -> None:
    languages = read_languages()
    assert len(languages) >= 50
    assert {"en", "de", "zh", "zh-tw", "ja", "ko", "ru", "ar", "hi", "vi"} <= set(languages)


@pytest.mark.parametrize("code", read_languages())
def test_letters_are_single_composed_code_points_named_once(code: str) -> None:
    letters = read_languages()[code].letters
    assert letters == unicodedata.normalize("NFC", letters)
    assert len(set(letters)) == len(letters)
    assert not set(letters) & set(LETTERS_OF_ALL)


# Some letters of these never begin a word, or the script has one case.
ONE_CASE = {"af", "ca", "fr", "ka"}


@pytest.mark.parametrize("code", [code for code in read_languages() if code not in ONE_CASE])
def test_both_cases_of_a_letter_are_needed(code: str) -> None:
    letters = set(read_languages()[code].letters)
    capitals = {c.upper() for c in letters if c.islower() and len(c.upper()) == 1}
    expected = {c for c in capitals if c not in LETTERS_OF_ALL} - {"Σ"}
    assert expected <= letters


def test_japanese_kana_are_complete() -> None:
    letters = set(read_languages()["ja"].letters)
    assert set("あいうえおかがぱゃゅょっんをアイウエオカガパャュョッンヲヴー") <= letters


def test_a_gap_names_what_is_missing_in_the_order_of_the_language() -> None:
    alphabet = read_dictionary(BASIC + "\nä\nß")
    gap = find_gap(alphabet, "de", GERMAN)
    assert gap is not None
    assert gap.missing == "öü"


def test_a_language_is_written_only_with_every_letter() -> None:
    languages = {"en": Language("English", ""), "de": GERMAN}
    assert written(read_dictionary(BASIC + "\nä\nö\nü"), languages) == ["en"]
    assert written(read_dictionary(BASIC + "\nä\nö\nü\nß"), languages) == ["en", "de"]


def test_needs_hold_the_letters_of_all() -> None:
    assert set(LETTERS_OF_ALL) < set(needs(GERMAN))


def test_a_claimed_language_without_its_letters_is_an_error_that_names_them() -> None:
    alphabet = read_dictionary(BASIC + "\nä")
    with pytest.raises(AlphabetError, match=r"de \(German\) lacks ö ü ß"):
        require(alphabet, "text_recognition_latin", ["de"], {"de": GERMAN})


def test_a_claimed_language_that_nobody_described_is_an_error() -> None:
    with pytest.raises(SpecError, match=r"'xx' is not in languages\.toml"):
        require(read_dictionary(BASIC), "m", ["xx"], {"de": GERMAN})


def test_an_unknown_key_of_a_language_is_named(tmp_path: Path) -> None:
    path = tmp_path / "languages.toml"
    path.write_text('[de]\nname = "German"\nletters = "ä"\nletter = "ö"\n')
    with pytest.raises(SpecError, match=r"de\.letter"):
        read_languages(path)


@pytest.fixture
def project() -> Spec:
    return read_spec(MODELS_TOML)


def _writes(**codes: str) -> dict[str, list[str]]:
    names = ("text_recognition", "text_recognition_latin")
    names += ("text_recognition_tiny", "text_recognition_tiny_latin")
    return {name: codes.get(name, "en").split() for name in names}


def test_each_strategy_takes_the_first_of_its_recognizers_that_writes_a_language(
    project: Spec,
) -> None:
    writes = _writes(text_recognition="en ja", text_recognition_tiny="en zh")
    table = recognizers_by_language(project, writes)
    assert table["speed"] == {
        "en": "text_recognition_tiny_latin",
        "zh": "text_recognition_tiny",
        "ja": "text_recognition",
    }
    assert table["balanced"]["en"] == "text_recognition_latin"


def test_a_strategy_falls_back_to_another_recognizer(project: Spec) -> None:
    table = recognizers_by_language(project, _writes(text_recognition_tiny="en zh"))
    assert table["accuracy"]["zh"] == "text_recognition_tiny"


def test_a_language_that_nobody_writes_is_absent(project: Spec) -> None:
    assert all(set(row) == {"en"} for row in recognizers_by_language(project, _writes()).values())


def test_without_a_language_the_first_full_alphabet_reads(project: Spec) -> None:
    assert default_recognizer(project, "speed") == "text_recognition_tiny"
    assert default_recognizer(project, "balanced") == "text_recognition"

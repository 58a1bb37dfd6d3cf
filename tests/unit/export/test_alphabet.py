from __future__ import annotations

import pytest

from export.alphabet import check_class_count, cut, read_dictionary
from export.errors import AlphabetError
from export.spec import AlphabetSpec


def _pack(**changes: object) -> AlphabetSpec:
    empty: dict[str, object] = {"must_write": [], "scripts": [], "ranges": [], "extra": ""}
    return AlphabetSpec(**{**empty, **changes})  # type: ignore[arg-type]


def test_blank_stands_first_and_space_last() -> None:
    alphabet = read_dictionary("a\nß\n中\n")
    assert alphabet.codepoints == (0, ord("a"), ord("ß"), ord("中"), ord(" "))
    assert alphabet.classes == (0, 1, 2, 3, 4)


def test_line_ends_of_windows_and_wide_spaces_are_told_apart() -> None:
    assert read_dictionary("a\r\n\u3000\r\n").characters == {"a", "\u3000", " "}
    assert "\u2028" in read_dictionary("a\n\u2028\nb").characters


def test_classes_of_several_code_points_are_refused_aloud() -> None:
    with pytest.raises(AlphabetError, match="'ab', 'e\u0301'"):
        read_dictionary("a\nab\ne\u0301\n")


def test_an_empty_line_is_refused() -> None:
    with pytest.raises(AlphabetError, match="''"):
        read_dictionary("a\n\nb\n")


def test_a_character_that_stands_twice_is_named() -> None:
    with pytest.raises(AlphabetError, match="twice: b"):
        read_dictionary("a\nb\nb\n")


def test_a_pack_keeps_blank_space_and_its_characters() -> None:
    full = read_dictionary("a\nж\né\n中\n%\n€")
    pack = cut(full, "latin", _pack(scripts=["LATIN"], ranges=[(0x25, 0x25)], extra="€$"))
    assert pack.codepoints == (0, *map(ord, "aé%€ "))
    assert pack.classes == (0, 1, 3, 5, 6, 7)
    assert pack.name == "latin"


def test_a_script_means_letters_not_signs_named_after_it() -> None:
    full = read_dictionary("a\n✝")  # LATIN CROSS
    assert cut(full, "latin", _pack(scripts=["LATIN"])).characters == {"a", " "}


def test_dictionary_and_model_of_different_size_are_refused() -> None:
    full = read_dictionary("a\nb\n")
    check_class_count(full, "text_recognition", 4)
    with pytest.raises(AlphabetError, match=r"text_recognition has 5 classes.* makes 4"):
        check_class_count(full, "text_recognition", 5)

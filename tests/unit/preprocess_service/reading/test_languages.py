import pytest

from preprocess_service.errors import InvalidOptionsError
from preprocess_service.reading.languages import resolve_languages

AVAILABLE = {"en": "latin", "de": "latin", "zh": "full", "ja": "full"}


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        (["EN"], ("en",)),
        (["en-US"], ("en",)),
        (["en_GB"], ("en",)),
        (["eng"], ("en",)),
        (["ch"], ("zh",)),
        (["zh-TW"], ("zh",)),
        (["zh-hant"], ("zh",)),
        (["chi_tra"], ("zh",)),
        (["japan"], ("ja",)),
        (["en", "de", "EN"], ("en", "de")),
        (["auto"], ()),
    ],
)
def test_codes_people_write_find_installed_ones(requested, expected):
    assert resolve_languages(requested, AVAILABLE) == expected


def test_more_specific_code_wins():
    assert resolve_languages(["zh-TW"], {"zh": "a", "zh-Hant": "b"}) == ("zh-Hant",)


def test_unknown_language_is_named_with_what_there_is():
    with pytest.raises(
        InvalidOptionsError, match="writes 'xx', 'tlh'; available: auto, de, en, ja, zh"
    ):
        resolve_languages(["en", "xx", "tlh"], AVAILABLE)


def test_auto_beside_others_is_no_language():
    with pytest.raises(InvalidOptionsError, match="'auto'"):
        resolve_languages(["en", "auto"], AVAILABLE)

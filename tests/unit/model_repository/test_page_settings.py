import pytest
from page_settings import ModelSettings, PageSettings, Strategy, UnknownOptionError

RECOGNIZER = ModelSettings("recognition", "CROP", ["CODEPOINT", "PROBABILITY"])
STRATEGY = Strategy("det", ["tiny_latin", "tiny"], 1.0, "never", False)


def settings(models=("det", "tiny_latin", "tiny", "small")):
    return PageSettings(
        release=1,
        models=dict.fromkeys(models, RECOGNIZER),
        strategies={"speed": STRATEGY},
        writes={
            "tiny_latin": ["en", "de"],
            "tiny": ["en", "de", "zh"],
            "small": ["en", "zh", "ja"],
        },
        default_recognizers={"speed": "tiny"},
        detection=None,
        recognition=None,
        textline_orientation=None,
        page_orientation=None,
    )


@pytest.mark.parametrize(
    ("languages", "recognizer"),
    [
        ([], "tiny"),
        (["en"], "tiny_latin"),
        (["de", "zh"], "tiny"),
        (["ja"], "small"),
        (["en", "ja"], "small"),
    ],
)
def test_first_recognizer_that_writes_all_languages_is_taken(languages, recognizer):
    assert settings().recognizer("speed", languages) == recognizer


def test_language_that_none_writes_is_named_with_what_there_is():
    with pytest.raises(UnknownOptionError, match=r"LANGUAGE .ru. .* de, en, ja, zh"):
        settings().recognizer("speed", ["en", "ru"])


def test_languages_that_no_single_recognizer_writes_are_refused():
    with pytest.raises(UnknownOptionError, match="all of de, ja"):
        settings().recognizer("speed", ["de", "ja"])


def test_unknown_strategy_is_named_with_what_there_is():
    with pytest.raises(UnknownOptionError, match=r"STRATEGY .fast. .* speed"):
        settings().strategy("fast")


def test_a_strategy_or_language_that_leads_to_no_model_is_refused_when_the_release_is_loaded():
    with pytest.raises(ValueError, match="leads to small, tiny: no such model"):
        settings(models=("det", "tiny_latin"))

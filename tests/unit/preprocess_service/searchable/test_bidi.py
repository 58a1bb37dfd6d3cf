import pytest

from preprocess_service.searchable.bidi import is_right_to_left, visual_runs

# Letters of the Hebrew alphabet as they are read; on the page they stand the other way around.
ALEF, BET, GIMEL = "\u05d0", "\u05d1", "\u05d2"
WORD, DROW = ALEF + BET + GIMEL, GIMEL + BET + ALEF


def _shown(text):
    """The text from left to right, put together from where each run stands."""
    runs = visual_runs(text)
    shown = [""] * len(text)
    for before, glyphs in runs:
        shown[len(before) : len(before) + len(glyphs)] = glyphs
    for before, _ in runs:
        assert before == "".join(shown)[: len(before)]
    return "".join(shown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc 12", "abc 12"),
        (WORD, DROW),
        (f"{WORD} {WORD}", f"{DROW} {DROW}"),
        (f"{WORD} 123 {ALEF}", f"{ALEF} 123 {DROW}"),
        (f"{WORD}: 1,250.00", f"1,250.00 :{DROW}"),
        (f"abc {WORD} 12 def", f"abc 12 {DROW} def"),
        (f"abc 12 {WORD}", f"abc 12 {DROW}"),
        (f"{WORD} abc def {ALEF}", f"{ALEF} abc def {DROW}"),
        (f"12 {WORD}", f"{DROW} 12"),
        (f"{WORD}!", f"!{DROW}"),
    ],
)
def test_runs_stand_as_on_the_page(text, expected):
    assert _shown(text) == expected


def test_runs_come_in_reading_order_with_their_outer_spaces_apart():
    runs = [glyphs for _, glyphs in visual_runs(f"{WORD} {ALEF} 12 {BET}")]
    assert runs == [f"{ALEF} {DROW}", " ", "12", " ", BET]


def test_marks_stay_with_their_letters():
    assert _shown(f"{ALEF}\u05b7{BET}") == f"{BET}\u05b7{ALEF}"


@pytest.mark.parametrize("text", ["", " ", "12", "."])
def test_text_without_letters_is_one_run(text):
    assert visual_runs(text) == [("", text)]


def test_first_letter_says_the_direction():
    assert is_right_to_left(f"12. {WORD} abc")
    assert not is_right_to_left(f"abc {WORD}")
    assert not is_right_to_left("12")

import pytest

from preprocess_service.pages.text_trust import is_readable

ENGLISH = "The quick brown fox jumps over the lazy dog and runs home to its own green garden. " * 3


@pytest.mark.parametrize(
    "text",
    [
        ENGLISH,
        "Съешь же ещё этих мягких французских булок да выпей чаю. " * 3,
        "Příliš žluťoučký kůň úpěl ďábelské ódy. " * 5,
        "Tôi yêu tiếng nước tôi từ khi mới ra đời, người ơi. " * 5,
        "Strč prst skrz krk. " * 2,
        "吾輩は猫である。名前はまだ無い。",
        "نص عربي قصير في صفحة واحدة",
        "यह हिन्दी में लिखा हुआ एक वाक्य है",
        "ภาษาไทยเขียนติดกันทั้งหมด",
        "1,234.50  98.00  2024-05-03  12:30  -17 %",
        "Introduction " + "." * 80 + " 7",
        "\uf0b7 first item of a list \uf0b7 second item of the list \uf0b7 the third and last",
        "7",
    ],
)
def test_text_of_any_language_is_readable(text):
    assert is_readable(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\ufffd" * 20 + ENGLISH[:40],
        "".join(chr(0xE000 + ord(char)) for char in ENGLISH),
        "(cid:12)(cid:44)(cid:3) " * 10,
        "\x01\x02\x03\x04\x05 \x06\x07",
        # A font without names for its glyphs: every letter 29 places too early.
        "".join(chr(max(33, ord(char) - 29)) if char != " " else char for char in ENGLISH),
        # The same, three places along the alphabet.
        "".join(chr(ord(char) + 3) if char.isalpha() else char for char in ENGLISH),
        "Привет, мир! Съешь же ещё этих мягких булок".encode("cp1251").decode("latin-1"),
        "Größe für Übergänge, schön öffnen: ".encode().decode("latin-1") * 3,
        "Привет, мир! Съешь же ещё этих булок".encode().decode("latin-1"),
        "&%$#@!*()[]{}<>|\\^~ +=-_:;",
    ],
)
def test_characters_without_a_meaning_are_not(text):
    assert not is_readable(text)

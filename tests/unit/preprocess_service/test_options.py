import pytest

from preprocess_service.errors import InvalidOptionsError
from preprocess_service.options import OcrOptions, parse_options


def test_nothing_given_is_the_contract_s_defaults():
    options = parse_options([])
    assert options == OcrOptions(
        strategy="balanced", language=("en",), output_format="json", confidence_threshold=0.5
    )
    assert (options.enhance, options.text_layer, options.words) == (None, "auto", False)


def test_text_values_become_typed_ones():
    options = parse_options(
        [("dpi", "200"), ("confidence_threshold", "0.8"), ("detect_orientation", "true")]
    )
    assert (options.dpi, options.confidence_threshold) == (200, 0.8)
    assert options.detect_orientation is True


@pytest.mark.parametrize(
    "pairs", [[("language", "en, de")], [("language", "en"), ("language", "de")]]
)
def test_languages_are_a_list_however_they_are_written(pairs):
    assert parse_options(pairs).language == ("en", "de")


def test_empty_fields_of_a_form_count_as_not_given():
    assert parse_options([("page_range", ""), ("dpi", " ")]) == OcrOptions()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dpi", "49"),
        ("dpi", "601"),
        ("dpi", "high"),
        ("confidence_threshold", "1.1"),
        ("confidence_threshold", "nan"),
        ("strategy", "fastest"),
        ("output_format", "docx"),
        ("page_range", "5-1"),
        ("enhance", "much"),
        ("detect_orientation", "perhaps"),
    ],
)
def test_ill_formed_value_is_named(name, value):
    with pytest.raises(InvalidOptionsError, match=name):
        parse_options([(name, value)])


def test_unknown_option_is_named_with_the_known_ones():
    with pytest.raises(InvalidOptionsError, match="langauge: no such option; known: strategy, "):
        parse_options([("langauge", "en")])


def test_option_given_twice_with_different_values_is_refused():
    with pytest.raises(InvalidOptionsError, match="dpi: given twice"):
        parse_options([("dpi", "100"), ("dpi", "200")])
    assert parse_options([("dpi", "100"), ("dpi", "100")]).dpi == 100


def test_password_is_never_repeated():
    with pytest.raises(InvalidOptionsError) as caught:
        parse_options([("password", "s3cret" * 500)])
    assert "s3cret" not in str(caught.value)


def _texts(schema):
    """Every schema of a text inside this one."""
    if schema.get("type") == "string":
        yield schema
    for inner in (*schema.get("anyOf", ()), schema.get("items", {})):
        if inner:
            yield from _texts(inner)


@pytest.mark.parametrize("name", OcrOptions.model_fields)
def test_every_option_is_bounded(name):
    schema = OcrOptions.model_json_schema()["properties"][name]
    for text in _texts(schema):
        assert "enum" in text or "maxLength" in text
    for kind in (schema, *schema.get("anyOf", ())):
        if kind.get("type") == "array":
            assert kind["maxItems"] <= 100
        if kind.get("type") in ("integer", "number"):
            assert {"minimum", "maximum"} <= set(kind)


@pytest.mark.parametrize(
    "pairs",
    [
        [("page_range", "1," * 32_000 + "1")],
        [("page_range", "x" * 8192)],
        [("password", "x" * 1025)],
        [("language", "x" * 36)],
        [("language", "en," * 101)],
        [("strategy", "x" * 65_000)],
        [("dpi", "9" * 5000)],
        [("x" * 65_000, "1")],
        [("x" * 65_000, "1"), ("x" * 65_000, "2")],
        [(f"option{number}", "1") for number in range(5000)],
    ],
)
def test_what_is_too_long_is_refused_in_a_few_words(pairs):
    with pytest.raises(InvalidOptionsError) as caught:
        parse_options(pairs)
    assert len(str(caught.value)) < 4000

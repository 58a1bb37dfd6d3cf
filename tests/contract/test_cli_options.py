"""The command line and the server agree on options and formats."""

import typing

from ocr_base.formats import EXTENSIONS, OutputFormat
from ocr_cli.options import OPTIONS
from preprocess_service.formatting import FORMATS
from preprocess_service.options import OcrOptions


def _choices(annotation: object) -> tuple[str, ...] | None:
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)
    inner = [_choices(argument) for argument in typing.get_args(annotation)]
    return next(filter(None, inner), None)


def _contains(annotation: object, kind: object) -> bool:
    parts = (annotation, typing.get_origin(annotation), *typing.get_args(annotation))
    return kind in parts


def test_flags_are_the_options_of_the_server():
    fields = OcrOptions.model_fields
    assert {option.name for option in OPTIONS} == set(fields)
    for option in OPTIONS:
        annotation = fields[option.name].annotation
        assert set(option.choices or ()) == set(_choices(annotation) or ()), option.name
        assert option.is_switch == _contains(annotation, bool), option.name
        assert option.is_list == _contains(annotation, tuple), option.name


def test_every_format_is_written_and_has_an_extension():
    assert set(typing.get_args(OutputFormat)) == set(EXTENSIONS) == set(FORMATS)

"""The command line and the server agree on options, formats, suffixes and requirements."""

import typing

from embedded import host
from ocr_cli.doctor import machine
from ocr_cli.inputs import SUFFIXES
from ocr_cli.options import EXTENSIONS, OPTIONS
from preprocess_service.batch import files
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


def test_every_format_has_an_extension_on_both_sides():
    formats = set(_choices(OcrOptions.model_fields["output_format"].annotation))
    assert set(EXTENSIONS) == formats
    assert EXTENSIONS == files.EXTENSIONS


def test_both_take_the_same_files_out_of_a_folder():
    assert SUFFIXES == files.SUFFIXES


def test_doctor_demands_what_the_stack_demands():
    assert machine.PYTHONS == host.SUPPORTED_PYTHONS
    assert machine.MINIMUM_GLIBC == host.MINIMUM_GLIBC

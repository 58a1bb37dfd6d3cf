import io

import pytest

from preprocess_service.disk import digest_file
from preprocess_service.options import OcrOptions
from preprocess_service.reading.cache.key import (
    OPTIONS_IN_KEY,
    OPTIONS_LEFT_OUT,
    make_key,
)

OTHER_VALUES = {
    "strategy": "speed",
    "language": ("en", "de"),
    "dpi": 99,
    "confidence_threshold": 0.25,
    "enhance": "light",
    "detect_orientation": True,
    "words": True,
    "rows": False,
    "page_range": "2-3",
    "password": "s3cret",
    "text_layer": "only",
}
PLAIN = OcrOptions()


def _key(options=PLAIN, digest="d", release=1, variant="v"):
    return make_key(digest, options, release, variant)


def test_every_option_is_decided_on():
    assert not OPTIONS_IN_KEY & OPTIONS_LEFT_OUT
    assert set(OcrOptions.model_fields) == OPTIONS_IN_KEY | OPTIONS_LEFT_OUT, (
        "a new option: does it change what is kept (OPTIONS_IN_KEY) or only how it is written?"
    )


@pytest.mark.parametrize("name", sorted(OPTIONS_IN_KEY))
def test_option_changes_the_key(name):
    assert _key(PLAIN.model_copy(update={name: OTHER_VALUES[name]})) != _key()


@pytest.mark.parametrize(("name", "value"), [("output_format", "text"), ("merge_pages", True)])
def test_way_of_writing_does_not(name, value):
    assert _key(PLAIN.model_copy(update={name: value})) == _key()


@pytest.mark.parametrize("change", [{"digest": "e"}, {"release": 2}, {"variant": "w"}])
def test_document_release_and_server_change_it(change):
    assert _key(**change) != _key()


def test_key_is_a_plain_name_that_does_not_tell_the_password():
    key = _key(PLAIN.model_copy(update={"password": "s3cret"}))
    assert len(key) == 64
    assert set(key) <= set("0123456789abcdef")


def test_document_of_another_shape_has_another_key(monkeypatch):
    before = _key()
    monkeypatch.setattr("preprocess_service.reading.cache.key._document_schema", lambda: "another")
    assert _key() != before


def test_digest_is_that_of_the_whole_file_wherever_it_stands(as_file):
    data = bytes(range(256)) * 8192
    file = as_file(data)
    file.seek(100)
    assert digest_file(file) == digest_file(as_file(data))
    assert digest_file(file) != digest_file(as_file(data[:-1]))
    assert file.tell() == 100


def test_digest_needs_a_real_file():
    with pytest.raises(OSError, match="fileno"):
        digest_file(io.BytesIO(b""))

import pytest

from preprocess_service.errors import InvalidDocumentError, UnsupportedMediaTypeError
from preprocess_service.pages.media_types import IMAGE_FORMATS, sniff_media_type


@pytest.mark.parametrize("media_type", sorted(set(IMAGE_FORMATS) - {"image/heic", "image/jp2"}))
def test_what_pillow_writes_is_recognized(media_type, make_image):
    assert sniff_media_type(make_image(IMAGE_FORMATS[media_type])) == media_type


def test_jpeg_2000_is_recognized(make_image):
    assert sniff_media_type(make_image("JPEG2000", size=(64, 64))) == "image/jp2"


def test_pdf_is_found_behind_leading_junk(make_pdf):
    assert sniff_media_type(make_pdf()) == "application/pdf"
    assert sniff_media_type(b"\r\njunk" * 20 + make_pdf()) == "application/pdf"


@pytest.mark.parametrize(
    "head", [b"<html>", b"\x1f\x8b\x08", b"<svg", b"PK\x03\x04", b"x", b"RIFF"]
)
def test_anything_else_is_refused(head):
    with pytest.raises(UnsupportedMediaTypeError):
        sniff_media_type(head)


def test_no_bytes_are_no_document():
    with pytest.raises(InvalidDocumentError, match="empty"):
        sniff_media_type(b"")

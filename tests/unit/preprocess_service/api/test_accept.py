import pytest

from preprocess_service.api.receiving.options import negotiate_format
from preprocess_service.errors import NotAcceptableError


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/plain", "text"),
        ("text/*", "text"),
        ("image/webp, text/plain;q=0.5, */*;q=0.1", "text"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
        ("application/pdf", "pdf"),
        ("application/xml", "alto"),
        ("text/vnd.hocr+html", "hocr"),
        ("text/markdown;q=0.8, text/tab-separated-values", "tsv"),
        ("application/vnd.ocr.structured+json", "structured"),
        ("application/*", "json"),
        ("text/plain;q=0.5, application/json", "json"),
        ("TEXT/PLAIN; charset=utf-8", "text"),
        ("text/html, */*", "html"),
        ("application/json;q=0, */*", "text"),
        ("application/json;q=0.1, application/pdf;q=0.2, */*;q=0.05", "pdf"),
        ("text/*;q=0.9, text/plain;q=0.1", "markdown"),
    ],
)
def test_best_liked_format_is_taken(accept, expected):
    assert negotiate_format(accept) == expected


@pytest.mark.parametrize("accept", ["image/png", "text/plain;q=0", "text/plain;q=x", ","])
def test_nothing_installed_is_refused(accept):
    with pytest.raises(NotAcceptableError, match=r"application/json, text/plain"):
        negotiate_format(accept)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "alto"),
        ("*/*", "alto"),
        ("application/*", "alto"),
        ("application/pdf, */*;q=0.1", "pdf"),
        ("text/plain;q=0.5, */*;q=0.1", "text"),
        ("application/xml;q=0, application/pdf, */*", "pdf"),
    ],
)
def test_the_default_is_taken_only_where_the_choice_is_left(accept, expected):
    assert negotiate_format(accept, "alto") == expected

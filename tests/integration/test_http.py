"""The way of a document over HTTP, through the real Triton."""

from collections.abc import Iterator

import httpx
import pytest

from tests.drawing import assert_reads, draw_page, draw_pdf, sentence, to_png


@pytest.fixture(scope="module")
def service(stack) -> Iterator[httpx.Client]:
    _, settings = stack
    with httpx.Client(base_url=settings.service_url, timeout=120) as client:
        yield client


def process(client: httpx.Client, content: bytes, **options: str) -> httpx.Response:
    return client.post("/api/v1/ocr/process", files={"file": ("upload", content)}, data=options)


PAGES = [[sentence(10 * p + i) for i in range(8)] for p in range(5)]


@pytest.mark.parametrize("strategy", ["speed", "balanced", "accuracy"])
def test_pdf_is_read_page_by_page(service, strategy, live_release):
    answer = process(service, draw_pdf(PAGES), strategy=strategy)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert [page["number"] for page in document["pages"]] == [1, 2, 3, 4, 5]
    for page, lines in zip(document["pages"], PAGES, strict=True):
        assert_reads([line["text"] for line in page["lines"]], lines)
    assert document["release"] == live_release


def test_image_as_text(service):
    answer = process(service, to_png(draw_page(PAGES[0])), output_format="text", strategy="speed")
    assert_reads(answer.text.strip().splitlines(), PAGES[0])


def test_lines_lie_where_the_page_shows_them(service):
    (page,) = process(service, draw_pdf([["garden"]]), strategy="speed").json()["pages"]
    left, top, right, bottom = page["lines"][0]["bbox"]
    scale = page["dpi"] / 72
    assert abs(left - 60 * scale) < 8
    assert top < (70 - 4) * scale < bottom
    assert right - left > 30 * scale


def test_broken_upload_is_refused_and_the_next_one_read(service):
    refused = process(service, b"%PDF-1.7 nothing more", strategy="speed")
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert process(service, draw_pdf(PAGES[:1]), strategy="speed").status_code == 200


def test_language_that_no_model_writes_is_named(service):
    refused = process(service, draw_pdf(PAGES[:1]), language="ru")
    assert refused.status_code == 422
    assert "ru" in refused.json()["detail"]


def test_models_tells_the_release(service, live_release):
    models = service.get("/api/v1/models").json()
    assert models["release"] == live_release

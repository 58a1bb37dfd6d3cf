"""How answers of the server become predictions, by the real HTTP client."""

from types import MappingProxyType

import httpx
import pytest

from bench.reading import EngineFailedError
from bench.server_engine import ServerEngine, group_by_document
from quality.predictions import Line
from tests.unit.quality.items import make_item

LINE = {"text": "hello", "confidence": 0.9, "bbox": [10, 20, 30, 40]}


def page(number: int, **changes) -> dict:
    return {"number": number, "width": 50, "height": 200, "lines": [LINE]} | changes


def engine_that_gets(answer, requests=None, options=MappingProxyType({})) -> ServerEngine:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/models":
            return httpx.Response(200, json={"release": 3})
        if requests is not None:
            requests.append(request.read().decode())
        return answer

    client = httpx.Client(transport=httpx.MockTransport(handle), base_url="http://server")
    return ServerEngine(client, "speed", concurrency=2, options=options)


@pytest.fixture
def item(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF")
    return make_item(path=path, language="de")


def read(answer, *items, requests=None):
    done = []
    reading = engine_that_gets(answer, requests).read(items, done.append)
    assert sum(done) == len(items)
    return reading


def test_pages_go_to_their_items_in_the_items_frame(item):
    second = make_item(item_id="b", path=item.path, language="de", page_number=2)
    answer = httpx.Response(200, json={"pages": [page(1), page(2, lines=[])]})
    reading = read(answer, item, second)
    assert reading.predictions == {"a": [Line("hello", (20, 10, 60, 20), 0.9)], "b": []}
    assert reading.pages == 2
    assert reading.pages_per_second > 0
    assert not reading.errors


def test_the_options_are_sent(item):
    requests = []
    read(httpx.Response(200, json={"pages": [page(1)]}), item, requests=requests)
    for field, value in {"strategy": "speed", "language": "de", "text_layer": "ignore"}.items():
        assert f'name="{field}"\r\n\r\n{value}\r\n' in requests[0]


def test_more_options_are_sent_and_named(item):
    requests = []
    engine = engine_that_gets(
        httpx.Response(200, json={"pages": [page(1)]}), requests, {"enhance": "none"}
    )
    engine.read([item], lambda _: None)
    assert 'name="enhance"\r\n\r\nnone\r\n' in requests[0]
    assert engine.setup == "2 requests at once, enhance=none"


def test_unwritten_language_is_no_answer_and_no_error(item):
    problem = {"code": "invalid_options", "detail": "language: no installed model writes 'de'."}
    reading = read(httpx.Response(422, json=problem), item)
    assert reading.predictions == {"a": None}
    assert not reading.errors


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(422, json={"code": "invalid_options", "detail": "strategy: no such."}),
        httpx.Response(503, json={"code": "engine_unavailable"}),
        httpx.Response(200, json={"pages": [page(2)]}),
        httpx.Response(200, json={"pages": [page(1)], "cache_hit": True}),
        httpx.Response(
            200, json={"pages": [page(1, problem={"code": "engine_failed", "detail": "no"})]}
        ),
    ],
    ids=["other option", "unavailable", "page missing", "from the cache", "page failed"],
)
def test_everything_else_is_an_error_of_the_item(item, answer):
    reading = read(answer, item)
    assert set(reading.errors) == {"a"}
    assert not reading.predictions


def test_server_that_does_not_answer_fails_as_a_whole():
    transport = httpx.MockTransport(lambda request: httpx.Response(404))
    with pytest.raises(EngineFailedError, match="does not answer"):
        ServerEngine(
            httpx.Client(transport=transport, base_url="http://server"), "speed", concurrency=1
        )


def test_a_file_is_uploaded_once_for_all_its_pages():
    items = [
        make_item(item_id="1"),
        make_item(item_id="2", path="b.png"),
        make_item(item_id="3", page_number=2),
        make_item(item_id="4", page_number=3, language="fr"),
    ]
    grouped = [[i.item_id for i in group] for group in group_by_document(items)]
    assert grouped == [["1", "3"], ["2"], ["4"]]

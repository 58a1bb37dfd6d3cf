"""This server as an engine: documents are uploaded whole over HTTP, several at once."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import httpx

from bench.reading import Advance, EngineFailedError, Reading
from ocr_base.version import API
from quality.items import Item
from quality.predictions import Line


class ServerEngine:
    """One strategy of a running server."""

    def __init__(
        self,
        client: httpx.Client,
        strategy: str,
        *,
        concurrency: int,
        options: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`options` go with every document, such as `enhance`."""
        self.version = f"release {_ask(client, f'{API}/models')['release']}"
        named = [f"{name}={value}" for name, value in options.items()]
        self.setup = ", ".join([f"{concurrency} requests at once", *named])
        self._client = client
        self._strategy = strategy
        self._concurrency = concurrency
        self._options = options

    def read(self, items: Sequence[Item], advance: Advance) -> Reading:
        """See `Engine`; every page of an uploaded document counts as read."""
        reading = Reading()
        documents = group_by_document(items)
        started = time.perf_counter()
        with ThreadPoolExecutor(self._concurrency) as pool:
            for document in pool.map(lambda d: self._read_document(d, reading), documents):
                advance(len(document))
        reading.seconds = time.perf_counter() - started
        return reading

    def _read_document(self, document: Sequence[Item], reading: Reading) -> Sequence[Item]:
        try:
            pages = self._upload(document[0])
        except (httpx.HTTPError, EngineFailedError) as exc:
            reading.errors |= {item.item_id: f"{exc!r}" for item in document}
            return document
        if pages is None:
            reading.predictions |= {item.item_id: None for item in document}
            return document
        reading.pages += len(pages)
        for item in document:
            _keep_page(item, pages.get(item.page_number), reading)
        return document

    def _upload(self, item: Item) -> dict[int, Any] | None:
        response = self._client.post(
            f"{API}/ocr/process",
            files={"file": (item.path.name, item.path.read_bytes())},
            data={
                "strategy": self._strategy,
                "language": item.language,
                "output_format": "json",
                # A PDF's own text would be a copy of the truth.
                "text_layer": "ignore",
                **self._options,
            },
        )
        if is_unwritten_language(response):
            return None
        if response.status_code != HTTPStatus.OK:
            raise EngineFailedError(f"{response.status_code}: {response.text[:300]}")
        document = response.json()
        if document.get("cache_hit"):
            raise EngineFailedError("answered from the cache: measure a server without one")
        return {page["number"]: page for page in document["pages"]}


def group_by_document(items: Sequence[Item]) -> list[list[Item]]:
    """Return the items by file, in order; a file in two languages is uploaded for each."""
    documents: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        documents.setdefault((str(item.path), item.language), []).append(item)
    return list(documents.values())


def is_unwritten_language(response: httpx.Response) -> bool:
    """Whether the server declines because none of its models writes the language."""
    if response.status_code != HTTPStatus.UNPROCESSABLE_ENTITY:
        return False
    problem = response.json()
    return problem["code"] == "invalid_options" and str(problem["detail"]).startswith("language:")


def read_page(page: Mapping[str, Any], item: Item) -> list[Line]:
    """Return the lines of a page of the answer in the item's frame."""
    x_scale, y_scale = item.width / page["width"], item.height / page["height"]
    return [
        Line(line["text"], tuple(line["bbox"]), line["confidence"]).scaled(x_scale, y_scale)
        for line in page["lines"]
    ]


def _keep_page(item: Item, page: Mapping[str, Any] | None, reading: Reading) -> None:
    if page is None:
        reading.errors[item.item_id] = f"the answer has no page {item.page_number}"
    elif problem := page.get("problem"):
        reading.errors[item.item_id] = f"{problem['code']}: {problem['detail']}"
    else:
        reading.predictions[item.item_id] = read_page(page, item)


def _ask(client: httpx.Client, path: str) -> Any:
    try:
        return client.get(path).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as exc:
        raise EngineFailedError(f"{client.base_url}{path} does not answer: {exc!r}") from exc

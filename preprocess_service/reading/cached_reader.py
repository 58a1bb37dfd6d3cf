"""The reader with a cache: equal requests are read once."""

import asyncio
import os
from dataclasses import dataclass, replace

from preprocess_service import metrics
from preprocess_service.disk import digest_file
from preprocess_service.document import Document, Page, ProcessingTime
from preprocess_service.reading.assembly import merge_text
from preprocess_service.reading.cache.flights import Flights
from preprocess_service.reading.cache.key import make_key
from preprocess_service.reading.cache.tiers import TieredCache
from preprocess_service.reading.identify import Upload
from preprocess_service.reading.pipeline import OcrPipeline


@dataclass(frozen=True)
class CachePolicy:
    """What one caller allows: an answer that was kept, and to keep the answer."""

    may_answer: bool = True
    may_keep: bool = True


class CachedReader:
    """Answers like `OcrPipeline.read`, from the cache where it can; without a cache it only reads.

    Complete documents are kept: all pages asked for, none with a problem.
    """

    def __init__(
        self,
        pipeline: OcrPipeline,
        cache: TieredCache | None,
        variant: str,
    ) -> None:
        """Nothing is looked up yet.

        Args:
            pipeline: Reads what is not kept.
            cache: Where answers are kept.
            variant: What of this server's settings changes its answers.
        """
        self._pipeline = pipeline
        self._cache = cache
        self._variant = variant
        self._flights: Flights[Document] = Flights()

    async def read(self, upload: Upload, policy: CachePolicy = CachePolicy()) -> Document:
        """The document; `cache_hit` says that it was not read for this caller.

        Raises:
            ServiceError: As `OcrPipeline.read`.
        """
        if self._cache is None or policy == CachePolicy(may_answer=False, may_keep=False):
            return await self._pipeline.read(upload)
        digest = await asyncio.to_thread(digest_file, upload.file)
        key = make_key(digest, upload.options, upload.reading.release, self._variant)
        document = await self._answer(self._cache, key, upload, policy)
        return _address(document, upload)

    async def _answer(
        self, cache: TieredCache, key: str, upload: Upload, policy: CachePolicy
    ) -> Document:
        shared = False
        if policy == CachePolicy():
            shared = self._flights.is_under_way(key)
            document = await self._flights.join(key, lambda: self._take_off(cache, key, upload))
        else:
            document = await self._read_alone(cache, key, upload, policy)
        outcome = "shared" if shared else "hit" if document.cache_hit else "miss"
        metrics.CACHE_ANSWERS.labels(outcome).inc()
        return document.model_copy(update={"cache_hit": outcome != "miss"})

    def _take_off(self, cache: TieredCache, key: str, upload: Upload) -> asyncio.Task[Document]:
        # The first caller may leave, and its file with it, while others wait.
        file = os.fdopen(os.dup(upload.file.fileno()), "rb")
        own = replace(upload, file=file)
        task = asyncio.create_task(self._read_alone(cache, key, own, CachePolicy()))
        task.add_done_callback(lambda _: file.close())
        return task

    async def _read_alone(
        self, cache: TieredCache, key: str, upload: Upload, policy: CachePolicy
    ) -> Document:
        if policy.may_answer and (found := await cache.find(key)):
            return found.model_copy(update={"cache_hit": True})
        document = await self._pipeline.read(upload)
        if policy.may_keep and _is_complete(document):
            # Text that `merge_pages` adds is made again for whoever asks for it.
            await cache.keep(key, document.model_copy(update={"text": None}))
        return document


def _is_complete(document: Document) -> bool:
    return document.status == "succeeded" and not any(page.problem for page in document.pages)


def _address(document: Document, upload: Upload) -> Document:
    """The document with this caller's request id, whoever's upload it was read from."""
    total = {"total": round(upload.elapsed_ms, 1)}
    idle = ProcessingTime(rasterize=0, enhance=0, inference=0, format=0, total=0)
    times = idle if document.cache_hit else document.processing_ms
    request_id = upload.context.request_id
    return document.model_copy(
        update={
            "request_id": request_id,
            "processing_ms": times.model_copy(update=total),
            "pages": tuple(_address_page(page, request_id) for page in document.pages),
            "text": merge_text(document.pages) if upload.options.merge_pages else None,
        }
    )


def _address_page(page: Page, request_id: str) -> Page:
    if page.problem is None:
        return page
    problem = page.problem.model_copy(update={"request_id": request_id})
    return page.model_copy(update={"problem": problem})

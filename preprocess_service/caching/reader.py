"""Reading documents, unless an equal request was answered before or is being answered."""

import asyncio
import os
import time
from dataclasses import dataclass
from typing import BinaryIO

from preprocess_service import metrics
from preprocess_service.assembly import merge_text
from preprocess_service.caching.flights import Flights
from preprocess_service.caching.key import digest_file, make_key
from preprocess_service.caching.tiers import TieredCache
from preprocess_service.document import Document, Page, ProcessingTime
from preprocess_service.inference.engine import CallContext, OcrEngine
from preprocess_service.options import OcrOptions
from preprocess_service.pipeline import OcrPipeline


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
        engine: OcrEngine,
        cache: TieredCache | None,
        variant: str,
    ) -> None:
        """Nothing is looked up yet.

        Args:
            pipeline: Reads what is not kept.
            engine: Knows the live release.
            cache: Where answers are kept.
            variant: What of this server's settings changes its answers.
        """
        self._pipeline = pipeline
        self._engine = engine
        self._cache = cache
        self._variant = variant
        self._flights: Flights[Document] = Flights()

    async def read(
        self,
        file: BinaryIO,
        options: OcrOptions,
        context: CallContext,
        policy: CachePolicy = CachePolicy(),
    ) -> Document:
        """The document; `cache_hit` says that it was not read for this caller.

        Raises:
            ServiceError: As `OcrPipeline.read`.
        """
        if self._cache is None or policy == CachePolicy(may_answer=False, may_keep=False):
            return await self._pipeline.read(file, options, context)
        started = time.perf_counter()
        release = (await self._engine.describe(context.request_id)).release
        request = _Request(file, options, context, release)
        digest = await asyncio.to_thread(digest_file, file)
        key = make_key(digest, options, release, self._variant)
        document = await self._answer(self._cache, key, request, policy)
        return _address(document, request, (time.perf_counter() - started) * 1000)

    async def _answer(
        self, cache: TieredCache, key: str, request: "_Request", policy: CachePolicy
    ) -> Document:
        shared = False
        if policy == CachePolicy():
            shared = self._flights.is_under_way(key)
            document = await self._flights.join(key, lambda: self._take_off(cache, key, request))
        else:
            document = await self._read_alone(cache, key, request, policy)
        outcome = "shared" if shared else "hit" if document.cache_hit else "miss"
        metrics.CACHE_ANSWERS.labels(outcome).inc()
        return document.model_copy(update={"cache_hit": outcome != "miss"})

    def _take_off(
        self, cache: TieredCache, key: str, request: "_Request"
    ) -> asyncio.Task[Document]:
        # The first caller may leave, and its file with it, while others wait.
        file = os.fdopen(os.dup(request.file.fileno()), "rb")
        own = _Request(file, request.options, request.context, request.release)
        task = asyncio.create_task(self._read_alone(cache, key, own, CachePolicy()))
        task.add_done_callback(lambda _: file.close())
        return task

    async def _read_alone(
        self, cache: TieredCache, key: str, request: "_Request", policy: CachePolicy
    ) -> Document:
        if policy.may_answer and (found := await cache.find(key)):
            return found.model_copy(update={"cache_hit": True})
        document = await self._pipeline.read(request.file, request.options, request.context)
        if policy.may_keep and _is_complete(document) and document.release == request.release:
            # Text that `merge_pages` adds is made again for whoever asks for it.
            await cache.keep(key, document.model_copy(update={"text": None}))
        return document


@dataclass(frozen=True)
class _Request:
    file: BinaryIO
    options: OcrOptions
    context: CallContext
    release: int


def _is_complete(document: Document) -> bool:
    return document.status == "succeeded" and not any(page.problem for page in document.pages)


def _address(document: Document, request: _Request, elapsed_ms: float) -> Document:
    """The document for this caller, whosever request it was read for."""
    total = {"total": round(elapsed_ms, 1)}
    idle = ProcessingTime(rasterize=0, enhance=0, inference=0, format=0, total=0)
    times = idle if document.cache_hit else document.processing_ms
    return document.model_copy(
        update={
            "request_id": request.context.request_id,
            "processing_ms": times.model_copy(update=total),
            "pages": tuple(_address_page(page, request) for page in document.pages),
            "text": merge_text(document.pages) if request.options.merge_pages else None,
        }
    )


def _address_page(page: Page, request: _Request) -> Page:
    if page.problem is None:
        return page
    problem = page.problem.model_copy(update={"request_id": request.context.request_id})
    return page.model_copy(update={"problem": problem})

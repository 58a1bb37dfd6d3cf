"""What a route works with: the service's parts, and the context of its request."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from preprocess_service.api.limits.slots import Slots
from preprocess_service.api.requests import caller_of, request_id_of
from preprocess_service.inference.engine import CallContext, OcrEngine
from preprocess_service.jobs.service import JobService
from preprocess_service.monitoring.monitor import Monitor
from preprocess_service.reading.cached_reader import CachedReader, CachePolicy
from preprocess_service.reading.pipeline import OcrPipeline
from preprocess_service.settings import Settings


@dataclass(frozen=True)
class Services:
    """What the routes work with."""

    settings: Settings
    engine: OcrEngine
    pipeline: OcrPipeline
    reader: CachedReader
    slots: Slots
    downloads: Slots
    results: Slots
    waits: Slots
    writing: asyncio.Semaphore
    monitor: Monitor
    jobs: JobService | None = None

    def are_idle(self) -> bool:
        """Whether no document is being read or written."""
        return not (self.slots.taken or self.results.taken)


# What a request needs runs on the event loop: threads are few, and all requests would queue there.
async def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


async def _call_context(request: Request) -> CallContext:
    return CallContext(request_id_of(request), request.state.traceparent, caller_of(request))


def _cache_policy(request: Request) -> CachePolicy:
    values = ",".join(request.headers.getlist("cache-control")).split(",")
    directives = {value.partition("=")[0].strip().lower() for value in values}
    return CachePolicy(
        may_answer="no-cache" not in directives, may_keep="no-store" not in directives
    )


@dataclass(frozen=True)
class OcrCall:
    """A request for documents: its context, its cache policy, and the services for it."""

    request: Request
    services: Services
    context: CallContext
    policy: CachePolicy


ServicesDep = Annotated[Services, Depends(_services)]
CallContextDep = Annotated[CallContext, Depends(_call_context)]


async def _ocr_call(request: Request, services: ServicesDep, context: CallContextDep) -> OcrCall:
    return OcrCall(request, services, context, _cache_policy(request))


OcrCallDep = Annotated[OcrCall, Depends(_ocr_call)]

"""Who asks: request id and trace of a request, and the service's parts for its route."""

import re
import uuid
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from preprocess_service.api.slots import Slots
from preprocess_service.caching.reader import CachedReader, CachePolicy
from preprocess_service.inference.engine import CallContext, OcrEngine
from preprocess_service.jobs.service import JobService
from preprocess_service.monitoring.monitor import Monitor
from preprocess_service.pipeline import OcrPipeline
from preprocess_service.settings import Settings

API_PREFIX = "/api/v1"
REQUEST_ID_HEADER = "X-Request-ID"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+=@/-]{1,128}")


def choose_request_id(given: str | None) -> str:
    """The caller's request id, or a new one where there is none or it is no plain token."""
    return given if given and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def request_id_of(request: Request) -> str:
    """The id that the middleware gave this request."""
    return cast(str, request.state.request_id)


@dataclass(frozen=True)
class Services:
    """What the routes work with; made by `create_app`."""

    settings: Settings
    engine: OcrEngine
    pipeline: OcrPipeline
    reader: CachedReader
    slots: Slots
    downloads: Slots
    monitor: Monitor
    jobs: JobService | None = None


def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


def _call_context(request: Request) -> CallContext:
    return CallContext(request_id_of(request), request.state.traceparent)


def _cache_policy(request: Request) -> CachePolicy:
    values = ",".join(request.headers.getlist("cache-control")).split(",")
    directives = {value.partition("=")[0].strip().lower() for value in values}
    return CachePolicy(
        may_answer="no-cache" not in directives, may_keep="no-store" not in directives
    )


@dataclass(frozen=True)
class Asked:
    """One request for documents: who asks, and what it is answered with."""

    request: Request
    services: Services
    context: CallContext
    policy: CachePolicy


def _asked(request: Request) -> Asked:
    return Asked(request, _services(request), _call_context(request), _cache_policy(request))


ServicesDep = Annotated[Services, Depends(_services)]
CallContextDep = Annotated[CallContext, Depends(_call_context)]
AskedDep = Annotated[Asked, Depends(_asked)]

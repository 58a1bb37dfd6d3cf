"""The HTTP application, put together from finished parts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from fastapi import Depends, FastAPI
from fastapi.params import Depends as Dependency
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from ocr_base.version import API, VERSION
from preprocess_service.api.error_handlers import add_error_handlers
from preprocess_service.api.limits.arrivals import ArrivalMiddleware
from preprocess_service.api.limits.draining import Drain, DrainMiddleware
from preprocess_service.api.limits.keys import Keys, KeyWall, know_caller
from preprocess_service.api.limits.rates import RateLimiter, limit_rate
from preprocess_service.api.limits.slots import upload_slots
from preprocess_service.api.middleware import (
    AnswerMiddleware,
    HeadMiddleware,
    RequestContextMiddleware,
)
from preprocess_service.api.openapi.document import add_openapi
from preprocess_service.api.receiving.body import BodyMiddleware, Pace
from preprocess_service.api.routes import health, jobs, monitoring, ocr
from preprocess_service.api.routes.context import Services
from preprocess_service.api.routes.docs_page import add_docs_page
from preprocess_service.garbage import collected_when_idle
from preprocess_service.settings import Settings


@dataclass(frozen=True)
class AppParts:
    """What the application is made of.

    Attributes:
        open_services: Starts what the routes work with, and ends it with the application.
        keys: None where nobody has to show one.
        limiter: Counts the requests; None where nothing is counted.
    """

    settings: Settings
    open_services: Callable[[], AbstractAsyncContextManager[Services]]
    drain: Drain
    keys: Keys | None = None
    limiter: RateLimiter | None = None


def create_app(parts: AppParts) -> FastAPI:
    """The application; nothing is started before its lifespan begins."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with parts.open_services() as services:
            app.state.services = services
            with parts.drain.on_signals():
                async with collected_when_idle(services.are_idle):
                    yield

    app = FastAPIOffline(
        docs_url=None,
        redoc_url=None,
        title="OCR server",
        version=VERSION,
        description="Reads images and PDFs with PaddleOCR models served by Triton.",
        lifespan=lifespan,
        # Its own spans would tell the query, and nothing of the pages.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    _add_middleware(app, parts)
    add_error_handlers(app)
    _add_routes(app, _guards(parts))
    add_docs_page(app)
    add_openapi(app)
    return app


def _add_middleware(app: FastAPI, parts: AppParts) -> None:
    """The one that is added last stands outermost."""
    settings = parts.settings
    pace = Pace(settings.upload_timeout, settings.upload_min_rate, settings.request_timeout)
    app.add_middleware(BodyMiddleware, slots=upload_slots(settings), pace=pace)
    app.add_middleware(AnswerMiddleware)
    app.add_middleware(HeadMiddleware)
    if parts.keys and not settings.figures_without_key:
        app.add_middleware(KeyWall, keys=parts.keys)
    app.add_middleware(DrainMiddleware, drain=parts.drain)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
    app.add_middleware(RequestContextMiddleware)
    app.add_middleware(ArrivalMiddleware)


def _add_routes(app: FastAPI, guards: list[Dependency]) -> None:
    app.include_router(ocr.router, prefix=API, dependencies=guards)
    app.include_router(jobs.router, prefix=API, dependencies=guards)
    app.include_router(health.router, prefix=API)
    app.include_router(monitoring.router, prefix=API)
    app.include_router(health.router, include_in_schema=False)
    app.include_router(monitoring.router, include_in_schema=False)


def _guards(parts: AppParts) -> list[Dependency]:
    """The dependencies that check a request; the key first, as rates are counted by key."""
    guards: list[Dependency] = []
    if parts.keys:
        guards.append(Depends(know_caller(parts.keys)))
    if parts.limiter and (per_minute := parts.settings.rate_limit_per_minute):
        guards.append(Depends(limit_rate(parts.limiter, per_minute)))
    return guards

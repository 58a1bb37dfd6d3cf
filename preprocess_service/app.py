"""The application, built from its settings and its engine."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.params import Depends as Dependency
from starlette.middleware.cors import CORSMiddleware

from preprocess_service.api import health, jobs, monitoring, ocr
from preprocess_service.api.callers import limit_rate, require_key
from preprocess_service.api.context import API_PREFIX, Services
from preprocess_service.api.draining import Drain, DrainMiddleware
from preprocess_service.api.error_handlers import add_error_handlers
from preprocess_service.api.head import HeadMiddleware
from preprocess_service.api.middleware import RequestContextMiddleware
from preprocess_service.api.monitoring import count_jobs
from preprocess_service.api.openapi import add_openapi
from preprocess_service.api.rates import RateLimiter
from preprocess_service.api.receiving import BodyMiddleware, Pace
from preprocess_service.api.slots import Slots
from preprocess_service.budget import PageBudget
from preprocess_service.caching.reader import CachedReader
from preprocess_service.caching.setup import answer_variant, make_cache
from preprocess_service.caching.tiers import TieredCache
from preprocess_service.imaging.pool import RasterizerPool
from preprocess_service.inference.engine import OcrEngine
from preprocess_service.jobs.connect import open_jobs
from preprocess_service.monitoring.export_traces import flush_traces
from preprocess_service.monitoring.monitor import Monitor
from preprocess_service.pipeline import Limits, OcrPipeline
from preprocess_service.settings import Settings


def create_app(settings: Settings, engine: OcrEngine) -> FastAPI:
    """The service; processes start, and the engine is closed, with the application's lifespan."""
    drain = Drain((signal.SIGTERM, signal.SIGINT), settings.shutdown_timeout)
    limiter = _make_limiter(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = make_pool(settings)
        await pool.start()
        cache = make_cache(settings)
        services = make_services(settings, engine, pool, cache)
        try:
            async with open_jobs(settings) as job_service:
                app.state.services = replace(services, jobs=job_service)
                count = partial(count_jobs, job_service) if job_service else None
                async with services.monitor.watching(count):
                    with _listening(drain):
                        yield
        finally:
            await pool.close()
            await engine.close()
            await asyncio.to_thread(flush_traces)
            if limiter:
                await limiter.close()
            if cache:
                await cache.close()

    app = FastAPI(
        title="OCR server",
        version=version("ocr-server"),
        description="Reads images and PDFs with PaddleOCR models served by Triton.",
        lifespan=lifespan,
        # Its own spans would tell the query, and nothing of the pages.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    _add_middleware(app, settings, drain)
    add_error_handlers(app)
    guards = _make_guards(settings, limiter)
    app.include_router(ocr.router, prefix=API_PREFIX, dependencies=guards)
    app.include_router(jobs.router, prefix=API_PREFIX, dependencies=guards)
    app.include_router(health.router, prefix=API_PREFIX)
    app.include_router(monitoring.router, prefix=API_PREFIX)
    app.include_router(health.router, include_in_schema=False)
    app.include_router(monitoring.router, include_in_schema=False)
    add_openapi(app)
    return app


def _add_middleware(app: FastAPI, settings: Settings, drain: Drain) -> None:
    """The one that is added last stands outermost."""
    bodies = Slots(
        settings.max_concurrent_uploads,
        "As many uploads as allowed are being received (MAX_CONCURRENT_UPLOADS)",
    )
    pace = Pace(settings.upload_timeout, settings.upload_min_rate)
    app.add_middleware(BodyMiddleware, slots=bodies, pace=pace)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(DrainMiddleware, drain=drain)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
    app.add_middleware(RequestContextMiddleware)


def _make_limiter(settings: Settings) -> RateLimiter | None:
    if not settings.rate_limit_per_minute:
        return None
    return RateLimiter(settings.redis_url.get_secret_value() if settings.redis_url else None)


def _make_guards(settings: Settings, limiter: RateLimiter | None) -> list[Dependency]:
    """Who may ask comes first: the rate is counted by key."""
    guards: list[Dependency] = []
    if settings.api_keys and settings.api_keys.get_secret_value():
        guards.append(Depends(require_key(settings.api_keys.get_secret_value())))
    if limiter:
        guards.append(Depends(limit_rate(limiter, settings.rate_limit_per_minute)))
    return guards


def _listening(drain: Drain) -> AbstractContextManager[None]:
    """Signals reach the main thread alone; in any other, whoever started it ends it."""
    is_main = threading.current_thread() is threading.main_thread()
    return drain.on_signals() if is_main else nullcontext()


def make_pool(settings: Settings) -> RasterizerPool:
    """The rasterizing processes, not started yet."""
    return RasterizerPool(
        size=settings.rasterizer_processes or os.cpu_count() or 1,
        memory_bytes=settings.rasterizer_memory_mb << 20,
        page_timeout_seconds=settings.page_timeout,
    )


def make_services(
    settings: Settings, engine: OcrEngine, pool: RasterizerPool, cache: TieredCache | None = None
) -> Services:
    """What the routes work with."""
    limits = Limits(
        max_pages=settings.pdf_max_pages,
        max_pixels=settings.max_pixels,
        default_dpi=settings.default_dpi,
        pages_in_flight=settings.document_pages_in_flight,
    )
    budget = PageBudget(settings.max_batch_size, settings.page_memory_mb << 20)
    pipeline = OcrPipeline(engine, pool, budget, limits)
    return Services(
        settings=settings,
        engine=engine,
        pipeline=pipeline,
        reader=CachedReader(pipeline, engine, cache, answer_variant(settings)),
        slots=Slots(
            settings.max_concurrent_documents,
            "As many documents as allowed are in work (MAX_CONCURRENT_DOCUMENTS)",
        ),
        downloads=Slots(
            settings.max_concurrent_uploads,
            "As many documents as allowed are being fetched (MAX_CONCURRENT_UPLOADS)",
        ),
        monitor=Monitor(engine, budget, settings.gpu_memory_buffer_mb << 20),
    )

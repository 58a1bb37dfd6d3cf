"""The application, built from its settings and its engine."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from preprocess_service.api import health, jobs, monitoring, ocr
from preprocess_service.api.context import API_PREFIX, DocumentSlots, Services
from preprocess_service.api.error_handlers import add_error_handlers
from preprocess_service.api.middleware import RequestContextMiddleware
from preprocess_service.api.monitoring import count_jobs
from preprocess_service.api.openapi import add_openapi
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
                    yield
        finally:
            await pool.close()
            await engine.close()
            await asyncio.to_thread(flush_traces)
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
    app.add_middleware(RequestContextMiddleware)
    add_error_handlers(app)
    app.include_router(ocr.router, prefix=API_PREFIX)
    app.include_router(jobs.router, prefix=API_PREFIX)
    app.include_router(health.router, prefix=API_PREFIX)
    app.include_router(monitoring.router, prefix=API_PREFIX)
    app.include_router(health.router, include_in_schema=False)
    app.include_router(monitoring.router, include_in_schema=False)
    add_openapi(app)
    return app


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
        slots=DocumentSlots(settings.max_concurrent_documents),
        monitor=Monitor(engine, budget, settings.gpu_memory_buffer_mb << 20),
    )

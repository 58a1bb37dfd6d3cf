"""The composition root: settings → what serving, a worker of jobs and an array job are made of."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from fastapi import FastAPI

from ocr_base.machine import usable_cores, usable_memory_bytes
from preprocess_service.api.app import AppParts, create_app
from preprocess_service.api.limits import slots
from preprocess_service.api.limits.connections import Connections, connections_that_fit
from preprocess_service.api.limits.draining import Drain
from preprocess_service.api.limits.http_protocol import Bounds, protocol
from preprocess_service.api.limits.keys import Keys
from preprocess_service.api.limits.rates import RateLimiter, WrongKeys
from preprocess_service.api.routes.context import Services
from preprocess_service.fetching.client import make_client
from preprocess_service.fetching.download import DownloadRules, download
from preprocess_service.inference.engine import OcrEngine
from preprocess_service.inference.triton_engine import TritonEngine
from preprocess_service.jobs.connect import (
    TRIES_OF_WORKER,
    JobParts,
    longest_life,
    open_jobs,
    open_parts,
)
from preprocess_service.jobs.queue import Queues, Work, open_queues
from preprocess_service.jobs.retention import Retention
from preprocess_service.jobs.retrying import Backoff
from preprocess_service.jobs.runner import Attempts, Download, JobRunner
from preprocess_service.jobs.webhooks import Delivery, Webhooks
from preprocess_service.jobs.worker import run_queues
from preprocess_service.log import configure_logging
from preprocess_service.monitoring.export_traces import export_traces, flush_traces
from preprocess_service.monitoring.exposition import serve_metrics
from preprocess_service.monitoring.monitor import Monitor
from preprocess_service.reading.budget import PageBudget
from preprocess_service.reading.cache.tiers import make_cache
from preprocess_service.reading.cached_reader import CachedReader
from preprocess_service.reading.identify import Limits
from preprocess_service.reading.pipeline import OcrPipeline
from preprocess_service.reading.rasterizer import PROGRAM, Rasterizer
from preprocess_service.sandbox.pool import SandboxPool
from preprocess_service.sandbox.processor_time import ProcessorTime
from preprocess_service.settings import Settings, SettingsError

_JOB_BACKOFF = Backoff(first_seconds=1, longest_seconds=60)
_WEBHOOK_BACKOFF = Backoff(first_seconds=2, longest_seconds=3600)
#: Whole documents of jobs that are written side by side.
_WRITTEN_AT_ONCE = 2
# Resident, measured: docs/performance.md.
_SERVICE_MB, _RASTERIZER_START_MB = 384, 128


def start_logs_and_traces(settings: Settings) -> None:
    """Set up the log of this process, and its traces where a collector is set; once per process."""
    configure_logging(settings.log_level)
    if url := settings.traces_url:
        export_traces(url, settings.otel_service_name)


def make_engine(settings: Settings) -> TritonEngine:
    """The client of the Triton that the settings name."""
    return TritonEngine(settings.triton_url, settings.triton_timeout)


def make_budget(settings: Settings) -> PageBudget:
    """The pages that may be in flight in this process."""
    return PageBudget(settings.max_batch_size, settings.page_memory_mb << 20)


@asynccontextmanager
async def open_pipeline(
    settings: Settings, engine: OcrEngine, budget: PageBudget
) -> AsyncIterator[OcrPipeline]:
    """The pipeline with its processes; they, and the engine's connections, end with the block."""
    pool = _make_pool(settings)
    await pool.start()
    try:
        yield OcrPipeline(engine, Rasterizer(pool), budget, _limits(settings))
    finally:
        await pool.close()
        await engine.close()
        await asyncio.to_thread(flush_traces)


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_pages=settings.pdf_max_pages,
        max_pixels=settings.max_pixels,
        default_dpi=settings.default_dpi,
        pages_in_flight=settings.document_pages_in_flight,
        max_result_bytes=settings.max_result_mb << 20,
    )


def _make_pool(settings: Settings) -> SandboxPool:
    return SandboxPool(
        PROGRAM,
        size=settings.rasterizer_processes or rasterizers_that_fit(settings),
        memory_bytes=settings.rasterizer_memory_mb << 20,
        timeout_seconds=settings.page_timeout,
        processor_time=ProcessorTime(
            settings.document_processor_time, settings.page_processor_time
        ),
    )


def rasterizers_that_fit(settings: Settings) -> int:
    """The number of rasterizing processes: one per core and one more, as far as memory allows.

    No caller has all of them, and one alone should have a core each.
    """
    others = settings.page_memory_mb + settings.cache_memory_mb + _SERVICE_MB
    room = usable_memory_bytes() // settings.workers - (others << 20)
    each = (settings.rasterizer_memory_mb + _RASTERIZER_START_MB) << 20
    return max(1, min(usable_cores() + 1, room // each))


def make_app(settings: Settings, engine: OcrEngine) -> FastAPI:
    """The service; processes start, and the engine is closed, with the application's lifespan."""
    limiter = _make_limiter(settings)
    return create_app(
        AppParts(
            settings,
            open_services=partial(_open_services, settings, engine, limiter),
            drain=Drain((signal.SIGTERM, signal.SIGINT), settings.shutdown_timeout),
            keys=_make_keys(settings, limiter),
            limiter=limiter,
        )
    )


@asynccontextmanager
async def _open_services(
    settings: Settings, engine: OcrEngine, limiter: RateLimiter | None
) -> AsyncIterator[Services]:
    budget, cache = make_budget(settings), make_cache(settings)
    async with AsyncExitStack() as stack:
        if cache:
            stack.push_async_callback(cache.close)
        if limiter:
            stack.push_async_callback(limiter.close)
        pipeline = await stack.enter_async_context(open_pipeline(settings, engine, budget))
        jobs = await stack.enter_async_context(open_jobs(settings))
        monitor = _make_monitor(settings, engine, budget)
        await stack.enter_async_context(monitor.watching(jobs.count_by_status if jobs else None))
        yield Services(
            settings=settings,
            engine=engine,
            pipeline=pipeline,
            reader=CachedReader(pipeline, cache, _limits(settings).variant),
            slots=slots.document_slots(settings),
            downloads=slots.download_slots(settings),
            results=slots.result_slots(settings),
            waits=slots.wait_slots(settings),
            writing=asyncio.Semaphore(_WRITTEN_AT_ONCE),
            monitor=monitor,
            jobs=jobs,
        )


def _make_monitor(settings: Settings, engine: OcrEngine, budget: PageBudget) -> Monitor:
    return Monitor(engine, budget, settings.gpu_memory_buffer_mb << 20)


def _make_limiter(settings: Settings) -> RateLimiter | None:
    counts_keys = settings.wrong_keys_per_minute and (settings.api_keys or settings.operator_keys)
    if not (settings.rate_limit_per_minute or counts_keys):
        return None
    return RateLimiter(settings.redis_url.get_secret_value() if settings.redis_url else None)


def _make_keys(settings: Settings, limiter: RateLimiter | None) -> Keys | None:
    api_keys, operator_keys = (
        secret.get_secret_value() if secret else ""
        for secret in (settings.api_keys, settings.operator_keys)
    )
    if not api_keys and not operator_keys:
        return None
    per_minute = settings.wrong_keys_per_minute
    wrong = WrongKeys(limiter, per_minute) if limiter and per_minute else None
    return Keys(api_keys, operator_keys, wrong)


def make_protocol(settings: Settings) -> Any:
    """The HTTP protocol with the bounds of the settings, for `uvicorn.run`."""
    bounds = Bounds(
        header_seconds=settings.header_timeout,
        head_bytes=settings.max_head_kb << 10,
        headers=settings.max_headers,
        answer_seconds=settings.answer_timeout,
    )
    connections = Connections(
        connections_that_fit(settings.max_connections),
        settings.connections_per_address,
        settings.trusted_proxies,
    )
    return protocol(bounds, connections)


@dataclass(frozen=True)
class Web:
    """The HTTP client and the download of a worker, for addresses that callers gave."""

    client: httpx.AsyncClient
    download: Download


def make_web(settings: Settings) -> Web:
    """The client and the download under the rules for addresses that callers name."""
    hosts = tuple(settings.url_allowed_hosts)
    rules = DownloadRules(hosts, settings.max_file_size_mb << 20, settings.url_timeout)
    client = make_client(hosts, settings.webhook_timeout)
    return Web(client, lambda url: download(url, rules))


async def run_worker(settings: Settings, engine: OcrEngine, web: Web) -> None:
    """Read jobs until SIGTERM or SIGINT; what is half read goes back within a page.

    Raises:
        SettingsError: There is no `REDIS_URL`, or `WORKER_METRICS_PORT` cannot be used.
    """
    if settings.redis_url is None:
        raise SettingsError("REDIS_URL: a worker needs the Redis or Valkey that keeps the jobs.")
    url, budget = settings.redis_url.get_secret_value(), make_budget(settings)
    monitor = _make_monitor(settings, engine, budget)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(web.client.aclose)
        pipeline = await stack.enter_async_context(open_pipeline(settings, engine, budget))
        parts = await stack.enter_async_context(open_parts(settings, url, TRIES_OF_WORKER))
        queues = await stack.enter_async_context(open_queues(url))
        port = settings.worker_metrics_port
        stack.enter_context(serve_metrics(monitor.registry, settings.host, port))
        await stack.enter_async_context(monitor.watching())
        work = _make_work(settings, parts, queues, pipeline, web)
        concurrency = (settings.job_concurrency, settings.webhook_concurrency)
        await run_queues(work, concurrency, settings.job_lease)


def _make_work(
    settings: Settings, parts: JobParts, queues: Queues, pipeline: OcrPipeline, web: Web
) -> Work:
    return Work(
        queues=queues,
        store=parts.store,
        runner=JobRunner(
            parts.store,
            parts.uploads,
            pipeline,
            web.download,
            Attempts(settings.job_max_attempts, _JOB_BACKOFF),
        ),
        webhooks=_make_webhooks(settings, parts, web),
        retention=Retention(parts.store, parts.uploads, longest_life(settings)),
    )


def _make_webhooks(settings: Settings, parts: JobParts, web: Web) -> Webhooks | None:
    if settings.webhook_secret is None:
        return None
    delivery = Delivery(
        secret=settings.webhook_secret.get_secret_value(),
        backoff=_WEBHOOK_BACKOFF,
        give_up_seconds=settings.webhook_give_up,
        timeout_seconds=settings.webhook_timeout,
        most_per_host=max(1, settings.webhook_concurrency // 4),
    )
    return Webhooks(parts.store, web.client, delivery)

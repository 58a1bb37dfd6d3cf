"""`python -m preprocess_service worker`: reads jobs until told to stop, beside others."""

import asyncio
import logging
import signal
from dataclasses import dataclass
from datetime import timedelta

import httpx
from docket import Docket, Worker

from preprocess_service.app import make_pool, make_services
from preprocess_service.fetching.client import make_client
from preprocess_service.fetching.download import DownloadRules, download
from preprocess_service.inference.engine import OcrEngine
from preprocess_service.jobs.connect import (
    TRIES_OF_WORKER,
    JobParts,
    longest_life,
    open_parts,
)
from preprocess_service.jobs.queue import Work, open_docket, work_var
from preprocess_service.jobs.retention import Retention
from preprocess_service.jobs.retrying import Backoff
from preprocess_service.jobs.runner import Attempts, Download, JobRunner
from preprocess_service.jobs.webhooks import Delivery, Webhooks
from preprocess_service.monitoring.export_traces import flush_traces
from preprocess_service.monitoring.exposition import serve_metrics
from preprocess_service.pipeline import OcrPipeline
from preprocess_service.settings import Settings, SettingsError

_JOB_BACKOFF = Backoff(first_seconds=1, longest_seconds=60)
_WEBHOOK_BACKOFF = Backoff(first_seconds=2, longest_seconds=3600)
_RECONNECT_AFTER = timedelta(seconds=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Web:
    """How a worker reaches addresses that callers gave."""

    client: httpx.AsyncClient
    download: Download


def make_web(settings: Settings) -> Web:
    """Addresses reached under the rules for those that callers name."""
    hosts = tuple(settings.url_allowed_hosts)
    rules = DownloadRules(hosts, settings.max_file_size_mb << 20, settings.url_timeout)
    client = make_client(hosts, settings.webhook_timeout)
    return Web(client, lambda url: download(url, rules))


async def work(settings: Settings, engine: OcrEngine, web: Web) -> None:
    """Read jobs until SIGTERM or SIGINT; what is half read goes back within a page.

    Raises:
        SettingsError: There is no `REDIS_URL`, or `WORKER_METRICS_PORT` cannot be used.
    """
    if settings.redis_url is None:
        raise SettingsError("REDIS_URL: a worker needs the Redis or Valkey that keeps the jobs.")
    url = settings.redis_url.get_secret_value()
    pool = make_pool(settings)
    await pool.start()
    try:
        services = make_services(settings, engine, pool)
        registry, port = services.monitor.registry, settings.worker_metrics_port
        async with open_parts(settings, url, TRIES_OF_WORKER) as parts, open_docket(url) as docket:
            with serve_metrics(registry, settings.host, port):
                async with services.monitor.watching():
                    work = _make_work(settings, parts, services.pipeline, web)
                    await _run(settings, docket, work)
    finally:
        await pool.close()
        await engine.close()
        await asyncio.to_thread(flush_traces)
        await web.client.aclose()


async def _run(settings: Settings, docket: Docket, work: Work) -> None:
    # Docket logs every retry as an error with its trace; what happens to jobs is logged here.
    logging.getLogger("docket.dependencies").setLevel(logging.CRITICAL)
    # Docket's tasks are made in this context.
    work_var.set(work)
    worker = Worker(
        docket,
        concurrency=settings.job_concurrency,
        redelivery_timeout=timedelta(seconds=settings.job_lease),
        reconnection_delay=_RECONNECT_AFTER,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with worker:
        running = asyncio.create_task(worker.run_forever())
        stopping = asyncio.create_task(stopped.wait())
        _log.info("worker ready", extra={"worker": worker.name})
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.runner.stop()
            stopping.cancel()
    await running


def _make_work(settings: Settings, parts: JobParts, pipeline: OcrPipeline, web: Web) -> Work:
    secret = settings.webhook_secret
    return Work(
        store=parts.store,
        runner=JobRunner(
            parts.store,
            parts.uploads,
            pipeline,
            web.download,
            Attempts(settings.job_max_attempts, _JOB_BACKOFF),
        ),
        webhooks=Webhooks(
            parts.store,
            web.client,
            Delivery(secret.get_secret_value(), _WEBHOOK_BACKOFF, settings.webhook_give_up),
        )
        if secret
        else None,
        retention=Retention(parts.store, parts.uploads, longest_life(settings)),
    )

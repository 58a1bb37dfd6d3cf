"""What can be seen of this service from outside."""

import asyncio
import math
from typing import cast

from fastapi import APIRouter, Request
from prometheus_client.exposition import choose_encoder
from redis.exceptions import RedisError
from starlette.responses import Response

from preprocess_service.api.context import ServicesDep
from preprocess_service.jobs.record import STATUSES
from preprocess_service.jobs.service import JobService
from preprocess_service.monitoring.gpu import GpuStatus
from preprocess_service.monitoring.stats import Stats

router = APIRouter(tags=["server"])

_EXPOSITION = {
    200: {
        "description": "Prometheus text exposition, or OpenMetrics where `Accept` asks for it.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses=cast(dict[int | str, dict[str, object]], _EXPOSITION),
)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Every metric, of all service processes together."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    body = await asyncio.to_thread(encode, services.monitor.registry)
    return Response(body, headers={"Content-Type": media_type})


@router.get("/stats", summary="How does this service do?")
async def stats(services: ServicesDep) -> Stats:
    """Counts since the start, rates and percentiles of the last 15 minutes, all processes."""
    return await asyncio.to_thread(services.monitor.stats)


@router.get("/gpu/status", summary="How do the GPUs do?")
async def gpu_status(services: ServicesDep) -> GpuStatus:
    """The GPUs of this service's machine, seen two seconds ago at most; null: it did not say."""
    return services.monitor.gpu_status


async def count_jobs(jobs: JobService) -> dict[str, float]:
    """Jobs by status; NaN where their store does not answer."""
    try:
        return {status: await jobs.store.count(status) for status in STATUSES}
    except RedisError:
        return dict.fromkeys(STATUSES, math.nan)

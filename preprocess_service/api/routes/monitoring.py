"""What can be seen of this service from outside."""

import asyncio
from collections.abc import Callable
from typing import cast

from fastapi import APIRouter, Request
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import Response

from preprocess_service.api.openapi.document import problem_responses
from preprocess_service.api.receiving.options import NO_OTHER_PARAMETERS
from preprocess_service.api.routes.context import ServicesDep
from preprocess_service.errors import InvalidRequestError
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
    encode, media_type = _choose_encoder(request.headers.get("accept", ""))
    body = await asyncio.to_thread(encode, services.monitor.registry)
    return Response(body, headers={"Content-Type": media_type})


def _choose_encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """The library's choice; its default where it stumbles over a version that is no number."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):
        return choose_encoder("")


@router.get(
    "/stats",
    summary="How does this service do?",
    dependencies=[NO_OTHER_PARAMETERS],
    responses=problem_responses((InvalidRequestError,)),
)
async def stats(services: ServicesDep) -> Stats:
    """Counts since the start, rates and percentiles of the last 15 minutes, all processes."""
    return await asyncio.to_thread(services.monitor.stats)


@router.get(
    "/gpu/status",
    summary="How do the GPUs do?",
    dependencies=[NO_OTHER_PARAMETERS],
    responses=problem_responses((InvalidRequestError,)),
)
async def gpu_status(services: ServicesDep) -> GpuStatus:
    """The GPUs of this service's machine, seen two seconds ago at most; null: it did not say."""
    return services.monitor.gpu_status

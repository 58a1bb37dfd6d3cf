"""Whether this process lives, whether it can read now, and what it can read."""

from fastapi import APIRouter

from preprocess_service.api.context import ServicesDep
from preprocess_service.api.error_handlers import problem_responses
from preprocess_service.api.schemas import Health, Model, Models, Readiness, ServerLimits
from preprocess_service.errors import (
    EngineContractError,
    EngineTimeoutError,
    EngineUnavailableError,
    InternalError,
)
from preprocess_service.formatting import FORMATS
from preprocess_service.settings import Settings

router = APIRouter(tags=["server"])

_ENGINE_ERRORS = (
    InternalError, EngineContractError, EngineUnavailableError, EngineTimeoutError,
)  # fmt: skip


@router.get("/health", summary="Does this process live?")
async def health() -> Health:
    """Answers at once, whatever the rest is doing."""
    return Health()


@router.get(
    "/ready", summary="Can documents be read now?", responses=problem_responses(_ENGINE_ERRORS)
)
async def ready(services: ServicesDep) -> Readiness:
    """503 until Triton answers and every model of the release is ready; says what is missing."""
    states = await services.engine.model_states()
    if missing := [model.name for model in states if not model.is_ready]:
        raise EngineUnavailableError(f"Models that are not ready: {', '.join(missing)}.")
    return Readiness(release=(await services.engine.describe()).release)


@router.get(
    "/models", summary="What can this server do?", responses=problem_responses(_ENGINE_ERRORS)
)
async def models(services: ServicesDep) -> Models:
    """The live release: its models and their versions, its languages, and the limits."""
    states = await services.engine.model_states()
    description = await services.engine.describe()
    return Models(
        release=description.release,
        models=tuple(
            Model(name=m.name, versions=m.versions, ready=m.is_ready, sha256=m.sha256)
            for m in states
        ),
        languages={
            strategy: tuple(sorted(codes)) for strategy, codes in description.languages.items()
        },
        output_formats=tuple(FORMATS),
        limits=_limits(services.settings),
    )


def _limits(settings: Settings) -> ServerLimits:
    return ServerLimits(
        max_file_size_mb=settings.max_file_size_mb,
        pdf_max_pages=settings.pdf_max_pages,
        max_pixels=settings.max_pixels,
        request_timeout_seconds=settings.request_timeout,
        max_concurrent_documents=settings.max_concurrent_documents,
    )

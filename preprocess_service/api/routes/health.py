"""Whether this process lives, whether it can read now, and what it can read."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from preprocess_service.api.openapi.document import problem_responses
from preprocess_service.api.receiving.options import NO_OTHER_PARAMETERS
from preprocess_service.api.routes.context import ServicesDep
from preprocess_service.errors import (
    EngineContractError,
    EngineTimeoutError,
    EngineUnavailableError,
    InternalError,
    InvalidRequestError,
)
from preprocess_service.formatting import FORMATS
from preprocess_service.settings import Settings

router = APIRouter(tags=["server"])

_ENGINE_ERRORS = (
    InternalError, EngineContractError, EngineUnavailableError, EngineTimeoutError,
)  # fmt: skip


class Health(BaseModel):
    """This process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Every model of the live release can be used."""

    status: Literal["ready"] = "ready"
    release: int = Field(examples=[1])


class Model(BaseModel):
    """One model of the live release."""

    name: str = Field(examples=["text_recognition"])
    versions: tuple[str, ...] = Field(examples=[["1"]])
    ready: bool
    sha256: str | None = Field(description="Of its file; null for a step without weights.")


class ServerLimits(BaseModel):
    """What one request may take."""

    max_file_size_mb: int
    pdf_max_pages: int
    max_pixels: int
    request_timeout_seconds: float
    max_concurrent_documents: int


class Models(BaseModel):
    """What this server can do."""

    release: int = Field(examples=[1])
    models: tuple[Model, ...]
    languages: dict[str, tuple[str, ...]] = Field(
        description="Strategy → codes that `language` takes.",
        examples=[{"balanced": ["de", "en", "zh"]}],
    )
    output_formats: tuple[str, ...] = Field(examples=[["json", "text"]])
    limits: ServerLimits


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
    "/models",
    summary="What can this server do?",
    dependencies=[NO_OTHER_PARAMETERS],
    responses=problem_responses((*_ENGINE_ERRORS, InvalidRequestError)),
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

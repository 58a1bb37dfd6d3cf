"""Bodies of the endpoints that describe the server; documents and problems have their own."""

from typing import Literal

from pydantic import BaseModel, Field


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

"""The settings of `python -m releases`, read from the environment and `.env`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from export.errors import ExportError
from export.host import Host, Precision
from ocr_base.places import CHECKOUT, TRITON_URL
from ocr_base.settings import StackSettings, explain


class Settings(StackSettings):
    """Every setting is the environment variable of the same name in capitals."""

    releases_dir: Path = Field(
        default=CHECKOUT / ".releases",
        description="Folder of the releases; on the disk of MODEL_REPOSITORY its files are shared.",
    )
    triton_url: str = Field(default=TRITON_URL, description="host:port of Triton's gRPC.")
    tensorrt_precision: Precision = Field(
        default="FP16", description="What a GPU computes in: FP32, FP16 or INT8."
    )
    engine_cache: str = Field(
        default=Host.engine_cache,
        description="Folder where the Triton that serves keeps the TensorRT engines it builds.",
    )
    service_url: str | None = Field(
        default=None,
        description="Front service that is asked what a canary's shadow found, such as "
        "http://localhost:8000.",
    )
    release_public_key: str | None = Field(
        default=None,
        description="minisign key (base64, or a file) that every release must be signed with.",
    )


def read_settings() -> Settings:
    """Return the settings.

    Raises:
        ExportError: One of them is no such value.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise ExportError("\n".join(explain(error))) from error

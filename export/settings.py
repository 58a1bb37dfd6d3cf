"""The settings of `python -m export`, read from the environment and `.env`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from export.errors import ExportError
from export.host import Precision

CHECKOUT = Path(__file__).resolve().parent.parent
#: Where containers find secrets.
SECRETS_DIR = Path("/run/secrets")


class Settings(BaseSettings):
    """Every setting is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env",
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
        extra="ignore",
        frozen=True,
    )

    model_repository: Path = Field(
        default=CHECKOUT / "model_repository", description="Folder of the models that Triton loads."
    )
    releases_dir: Path = Field(
        default=CHECKOUT / ".releases",
        description="Folder of the releases; on the disk of MODEL_REPOSITORY its files are shared.",
    )
    runtime_dir: Path = Field(
        default=CHECKOUT / ".runtime",
        description="Folder of the local stack, which keeps the key of Triton's control there.",
    )
    triton_url: str = Field(default="127.0.0.1:8001", description="host:port of Triton's gRPC.")
    triton_control_key: SecretStr | None = Field(
        default=None, description="Key of Triton's control; the local stack has one in RUNTIME_DIR."
    )
    tensorrt_precision: Precision = Field(
        default="FP16", description="What a GPU computes in: FP32, FP16 or INT8."
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
        lines = (f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise ExportError("\n".join(lines)) from error

"""The settings of the local stack, read once from the environment and `.env`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from embedded.errors import EmbeddedError

CHECKOUT = Path(__file__).resolve().parent.parent
#: Where containers find secrets.
SECRETS_DIR = Path("/run/secrets")
Port = Annotated[int, Field(ge=1, le=65535)]


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
    runtime_dir: Path = Field(
        default=CHECKOUT / ".runtime",
        description="Folder for backends, log and control key; one stack each.",
    )
    host: str = Field(default="127.0.0.1", description="Address the front service listens on.")
    port: Port = Field(default=8000, description="Port of the front service.")
    triton_host: str = Field(
        default="127.0.0.1",
        description="Address Triton listens on; 0.0.0.0 lets other machines in.",
    )
    triton_grpc_port: Port = Field(default=8001, description="Port of Triton's gRPC.")
    triton_metrics_port: Port = Field(default=8002, description="Port of Triton's metrics.")
    triton_http_port: Port = Field(default=8003, description="Port of Triton's HTTP.")
    triton_startup_timeout: float = Field(
        default=600.0, gt=0, description="Seconds until every model must be loaded and warm."
    )
    triton_stop_timeout: float = Field(
        default=30.0, ge=0, description="Seconds that requests in flight get to finish at the stop."
    )
    triton_control_key: SecretStr | None = Field(
        default=None,
        description="Key of Triton's control: repository, logs, traces, shared memory.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="Redis or Valkey to use; without it, one is started on this machine.",
    )
    valkey_port: Port = Field(default=8004, description="Port of that Valkey, for this machine.")
    job_workers: int = Field(
        default=1, ge=0, le=64, description="Workers of jobs beside the front service."
    )

    @property
    def triton_http_url(self) -> str:
        """Where this machine reaches Triton's HTTP, without a slash at the end."""
        return f"http://{_reachable(self.triton_host)}:{self.triton_http_port}"

    @property
    def triton_grpc_address(self) -> str:
        """Where this machine reaches Triton's gRPC, as `host:port`."""
        return f"{_reachable(self.triton_host)}:{self.triton_grpc_port}"

    @property
    def service_url(self) -> str:
        """Where this machine reaches the front service, without a slash at the end."""
        return f"http://{_reachable(self.host)}:{self.port}"


def read_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        EmbeddedError: A setting has a value that it cannot take; the text names every such one.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise EmbeddedError("Settings are wrong. " + "; ".join(problems)) from error


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound

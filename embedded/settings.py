"""The settings of the local stack, read once from the environment and `.env`."""

from typing import Annotated

from pydantic import Field, SecretStr, ValidationError

from embedded.errors import EmbeddedError
from ocr_base.places import HOST, PORT, TRITON_GRPC_PORT
from ocr_base.settings import StackSettings, explain

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(StackSettings):
    """Every setting is the environment variable of the same name in capitals."""

    host: str = Field(default=HOST, description="Address the front service listens on.")
    port: Port = Field(default=PORT, description="Port of the front service.")
    triton_host: str = Field(
        default=HOST,
        description="Address of Triton's gRPC; 0.0.0.0 lets other machines in.",
    )
    triton_grpc_port: Port = Field(default=TRITON_GRPC_PORT, description="Port of Triton's gRPC.")
    triton_metrics_host: str = Field(
        default=HOST,
        description="Address of Triton's metrics, whose memory anyone who reaches them can fill.",
    )
    triton_metrics_port: Port = Field(default=8002, description="Port of Triton's metrics.")
    triton_http_host: str = Field(
        default=HOST,
        description="Address of Triton's HTTP, which anyone who reaches it can crash.",
    )
    triton_http_port: int = Field(
        default=8003, ge=0, le=65535, description="Port of Triton's HTTP; 0: there is none."
    )
    triton_startup_timeout: float = Field(
        default=600.0, gt=0, description="Seconds until every model must be loaded and warm."
    )
    triton_stop_timeout: float = Field(
        default=30.0, ge=0, description="Seconds that requests in flight get to finish at the stop."
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="Redis or Valkey to use; without it, one is started on this machine.",
    )
    api_keys: SecretStr | None = Field(
        default=None,
        description="Keys of the front service, whose self-check shows one of its own beside them.",
    )
    valkey_port: Port = Field(default=8004, description="Port of that Valkey, for this machine.")
    valkey_memory_mb: int = Field(
        default=1024,
        ge=64,
        description="Memory of that Valkey, in 2^20 bytes; it throws nothing away, so what does "
        "not fit is refused.",
    )
    job_workers: int = Field(
        default=1, ge=0, le=64, description="Workers of jobs beside the front service."
    )

    @property
    def is_open_to_everyone(self) -> bool:
        """Whether other machines reach the front service and need no key."""
        is_local = self.host == "localhost" or self.host.startswith("127.") or self.host == "::1"
        return not is_local and not self.api_keys

    @property
    def triton_addresses(self) -> dict[str, tuple[str, int]]:
        """Host and port of whatever Triton listens on, by the name of the port's setting."""
        addresses = {
            "TRITON_GRPC_PORT": (self.triton_host, self.triton_grpc_port),
            "TRITON_METRICS_PORT": (self.triton_metrics_host, self.triton_metrics_port),
            "TRITON_HTTP_PORT": (self.triton_http_host, self.triton_http_port),
        }
        return {name: (host, port) for name, (host, port) in addresses.items() if port}

    @property
    def triton_http_url(self) -> str:
        """Where this machine reaches Triton's HTTP, if there is one, without a slash at the end."""
        return f"http://{_reachable(self.triton_http_host)}:{self.triton_http_port}"

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
        raise EmbeddedError("Settings are wrong. " + "; ".join(explain(error))) from error


def _reachable(host: str) -> str:
    return HOST if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound

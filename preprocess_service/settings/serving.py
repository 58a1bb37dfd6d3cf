"""Settings of the server: where it listens, the bounds of requests, and its traces."""

from typing import Literal

from pydantic import Field

from ocr_base.places import HOST, PORT
from ocr_base.settings import EnvironmentSettings


class ServingSettings(EnvironmentSettings):
    """Where the service listens, and the bounds of connections, bodies and answers."""

    host: str = Field(default=HOST, description="Address to listen on.")
    port: int = Field(default=PORT, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(
        default=1, ge=1, le=64, description="Service processes; every limit below is per process."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="Least severe level that the service logs; libraries log warnings and worse.",
    )
    max_file_size_mb: int = Field(default=100, ge=1, description="Largest upload, in 2^20 bytes.")
    max_request_size_mb: int = Field(
        default=1024, ge=1, description="Largest body with several files, in 2^20 bytes."
    )
    request_timeout: float = Field(
        default=300, gt=0, description="Seconds for a request, upload included; then 504."
    )
    max_concurrent_documents: int = Field(
        default=64, ge=1, description="Documents in work at once; the next is refused with 429."
    )
    max_concurrent_uploads: int = Field(
        default=256, ge=1, description="Bodies received at once; the next is refused with 429."
    )
    uploads_per_caller: int = Field(
        default=64, ge=1, description="Of these for one caller; the next is refused with 429."
    )
    upload_timeout: float = Field(
        default=20,
        gt=0,
        description="Seconds in which a body must have arrived, and one more for every "
        "UPLOAD_MIN_RATE bytes of it; then 408.",
    )
    upload_min_rate: int = Field(
        default=1000, ge=1, description="Bytes that earn a body another second."
    )
    header_timeout: int = Field(
        default=15, ge=1, description="Seconds in which the head of a request must have arrived."
    )
    max_head_kb: int = Field(
        default=64,
        ge=4,
        description="Largest head of a request, in 2^10 bytes; then 431 and the connection ends.",
    )
    max_headers: int = Field(default=100, ge=20, description="Most headers of a request; then 431.")
    answer_timeout: float = Field(
        default=60,
        gt=0,
        description="Seconds in which a client must take each 128 KB of its answer; then the "
        "connection ends.",
    )
    max_connections: int = Field(
        default=4096,
        ge=1,
        description="Connections open at once, as far as the limit of open files allows them; the "
        "next is refused with 429.",
    )
    connections_per_address: int = Field(
        default=1024,
        ge=1,
        description="Of these from one address that is not among TRUSTED_PROXIES; the next is "
        "refused with 429.",
    )
    keep_alive_timeout: int = Field(
        default=75,
        ge=1,
        description="Seconds that an idle connection is kept for its next request.",
    )
    shutdown_timeout: float = Field(
        default=25, ge=0, description="Seconds that requests in work get to finish at the stop."
    )
    worker_metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port on HOST where a worker of jobs shows /metrics; 0: it does not.",
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Collector that traces are sent to (OTLP as JSON over HTTP), such as "
        "http://collector:4318; none: no traces.",
    )
    otel_exporter_otlp_traces_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="The same as the whole URL, such as http://collector:4318/v1/traces; wins.",
    )
    otel_service_name: str = Field(
        default="ocr-server", min_length=1, description="What traces call this service."
    )

    @property
    def traces_url(self) -> str | None:
        """Where traces are sent."""
        if self.otel_exporter_otlp_endpoint and not self.otel_exporter_otlp_traces_endpoint:
            return f"{self.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"
        return self.otel_exporter_otlp_traces_endpoint

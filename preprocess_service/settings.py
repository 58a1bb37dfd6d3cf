"""The settings table: the only reader of the environment and of `.env`."""

import base64
import binascii
import difflib
import os
import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from opentelemetry.sdk import environment_variables
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# At this likeness `TRITON_ULR` and `MAX_FILE_SIZE` are caught, `TRITON_PORT` (which Kubernetes
# sets for a service called triton) is not.
_NEAR_MISS = 0.85
# Shorter names are too like names that mean something to others (PORTS, GHOST).
_SHORTEST_CHECKED = 6
_API_KEY = re.compile(r"(?!sha256:)[!-~]{16,}|sha256:[0-9a-f]{64}")


#: Names that other parts of the project read from the same `.env`.
#: Where containers find secrets: a file for each setting, called after it in small letters.
SECRETS_DIR = Path("/run/secrets")
NAMES_OF_OTHER_PARTS = frozenset(
    {
        "MODEL_REPOSITORY",
        "RELEASES_DIR",
        "RELEASE_PUBLIC_KEY",
        "RUNTIME_DIR",
        "TENSORRT_PRECISION",
        "TRITON_HOST",
        "TRITON_GRPC_PORT",
        "TRITON_METRICS_PORT",
        "TRITON_HTTP_PORT",
        "TRITON_STARTUP_TIMEOUT",
        "TRITON_STOP_TIMEOUT",
        "TRITON_CONTROL_KEY",
        "VALKEY_PORT",
        "JOB_WORKERS",
    }
)


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class SettingsError(Exception):
    """The environment or `.env` cannot be used; `str()` says what to change."""


class Settings(BaseSettings):
    """How this process serves. Names are those of the environment, in lower case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(
        default=1, ge=1, le=64, description="Service processes; every limit below is per process."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severe level that is logged."
    )
    triton_url: str = Field(
        default="127.0.0.1:8001", description="host:port of Triton's gRPC endpoint."
    )
    triton_timeout: float = Field(
        default=120, gt=0, description="Seconds that Triton may take over one page."
    )
    default_dpi: int = Field(
        default=120,
        ge=50,
        le=600,
        description="Resolution of drawn PDF pages where neither the request nor its strategy "
        "says one.",
    )
    max_file_size_mb: int = Field(default=100, ge=1, description="Largest upload, in 2^20 bytes.")
    max_pixels: int = Field(
        default=100_000_000,
        ge=1_000_000,
        description="Most pixels of one page, checked before it is decoded or drawn.",
    )
    pdf_max_pages: int = Field(
        default=1000, ge=1, description="Most pages read in one request, of a PDF or an image file."
    )
    request_timeout: float = Field(
        default=300, gt=0, description="Seconds for a request, upload included; then 504."
    )
    max_concurrent_documents: int = Field(
        default=64, ge=1, description="Documents in work at once; the next is refused with 429."
    )
    max_batch_size: int = Field(
        default=50, ge=1, description="Pages in flight at once, over all documents."
    )
    document_pages_in_flight: int = Field(
        default=8, ge=1, description="Pages in flight at once of one document."
    )
    page_memory_mb: int = Field(
        default=1024, ge=1, description="Pixels of all pages in flight, in 2^20 bytes."
    )
    rasterizer_processes: int = Field(
        default=0, ge=0, description="Processes that decode and draw pages; 0: one per CPU."
    )
    rasterizer_memory_mb: int = Field(
        default=1024, ge=128, description="Memory that each of them may take, in 2^20 bytes."
    )
    page_timeout: float = Field(
        default=20, gt=0, description="Seconds that opening a file or drawing one page may take."
    )
    gpu_memory_buffer_mb: int = Field(
        default=500,
        ge=0,
        description="Memory to stay free, in 2^20 bytes: of the fullest GPU, without one of the "
        "machine. MAX_BATCH_SIZE and PAGE_MEMORY_MB shrink while less than twice that is free; "
        "0: never.",
    )
    data_dir: Path = Field(
        default=Path(".data"), description="Folder of what outlives a restart; made when needed."
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Redis or Valkey, such as redis://:password@host:6379/0."
    )
    cache_ttl: float = Field(
        default=3600, ge=0, description="Seconds for which an answer is kept; 0: none is."
    )
    cache_memory_mb: int = Field(
        default=64, ge=0, description="Kept answers in this process, in 2^20 bytes; 0: none."
    )
    cache_redis_mb: int = Field(
        default=256, ge=0, description="Kept answers in REDIS_URL, in 2^20 bytes; 0: none."
    )
    cache_disk_mb: int = Field(
        default=1024, ge=0, description="Kept answers in DATA_DIR/cache, in 2^20 bytes; 0: none."
    )

    job_storage_url: str | None = Field(
        default=None,
        description="Where uploads of jobs are kept, such as s3://bucket/folder; none: "
        "DATA_DIR/jobs.",
    )
    job_timeout: float = Field(
        default=86_400, gt=0, description="Seconds from its submission after which a job fails."
    )
    job_retention: float = Field(
        default=86_400,
        gt=0,
        description="Seconds that a finished job, its upload included, is kept.",
    )
    job_queue_size: int = Field(
        default=10_000, ge=1, description="Jobs that may wait; the next is refused with 429."
    )
    job_concurrency: int = Field(default=4, ge=1, description="Jobs that one worker reads at once.")
    job_max_attempts: int = Field(
        default=5, ge=1, description="Runs without another finished page before a job is given up."
    )
    job_lease: float = Field(
        default=30,
        ge=1,
        description="Seconds after which the jobs of a worker that died go to another.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        description="Signs messages to `callback_url`: whsec_ and 24 to 64 bytes in "
        "Base64. None: `callback_url` is refused.",
    )
    webhook_timeout: float = Field(
        default=15, gt=0, description="Seconds that a receiver may take for one message."
    )
    webhook_give_up: float = Field(
        default=86_400, ge=0, description="Seconds for which a message is tried again."
    )
    api_keys: SecretStr | None = Field(
        default=None,
        description="Keys that callers may show, separated by commas: each of 16 characters or "
        "more, or sha256: and the key's sha256 in hexadecimal digits. None: no key is asked for.",
    )
    rate_limit_per_minute: int = Field(
        default=0,
        ge=0,
        description="Requests that one API key, or one address without keys, may send in any "
        "60 seconds, over all processes that share REDIS_URL; 0: any number.",
    )
    trusted_proxies: CommaSeparated = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For is believed, "
        "separated by commas.",
    )
    cors_origins: CommaSeparated = Field(
        default=(),
        description="Web origins whose pages may call this service, such as "
        "https://app.example.org, separated by commas; *: all.",
    )
    url_allowed_hosts: CommaSeparated = Field(
        default=(),
        description="Hosts that documents and `callback_url` may be on though their addresses are "
        "private: host, or host:port, separated by commas.",
    )
    url_timeout: float = Field(
        default=60, gt=0, description="Seconds that fetching a document by URL may take."
    )
    max_request_size_mb: int = Field(
        default=1024, ge=1, description="Largest body with several files, in 2^20 bytes."
    )
    max_concurrent_uploads: int = Field(
        default=256, ge=1, description="Bodies received at once; the next is refused with 429."
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
        pattern=r"^(https?://\S+)?$",
        description="Collector that traces are sent to (OTLP as JSON over HTTP), such as "
        "http://collector:4318; none: no traces.",
    )
    otel_exporter_otlp_traces_endpoint: str | None = Field(
        default=None,
        pattern=r"^(https?://\S+)?$",
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
        return self.otel_exporter_otlp_traces_endpoint or None

    @field_validator("triton_url")
    @classmethod
    def _check_triton_url(cls, value: str) -> str:
        host, _, port = value.removeprefix("grpc://").rpartition(":")
        if not host or not port.isdigit() or "/" in host:
            raise ValueError("must be host:port of Triton's gRPC endpoint, such as triton:8001")
        return f"{host}:{port}"

    @field_validator("api_keys")
    @classmethod
    def _check_api_keys(cls, value: SecretStr | None) -> SecretStr | None:
        keys = value.get_secret_value().split(",") if value else []
        if not all(_API_KEY.fullmatch(key.strip()) for key in keys):
            raise ValueError("each key must have 16 characters or more, or be sha256:<64 digits>")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_trusted_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _check_webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            encoded = value.get_secret_value().removeprefix("whsec_")
            if not _is_webhook_key(encoded):
                raise ValueError("must be whsec_ followed by 24 to 64 bytes in Base64")
        return value


def _is_webhook_key(encoded: str) -> bool:
    try:
        return 24 <= len(base64.b64decode(encoded, validate=True)) <= 64
    except binascii.Error:
        return False


def load_settings(env_file: Path = Path(".env")) -> Settings:
    """The settings of the environment, which wins, over those of `.env`, over the defaults.

    Raises:
        SettingsError: A name in `.env` is unknown, a variable looks like a misspelt setting, or a
            value is ill-typed or out of bounds.
    """
    known = {name.upper() for name in Settings.model_fields}
    _refuse_unknown(dotenv_values(env_file), known | NAMES_OF_OTHER_PARTS, env_file)
    _refuse_near_misses(set(os.environ) - known - NAMES_OF_OTHER_PARTS, known)
    try:
        secrets = SECRETS_DIR if SECRETS_DIR.is_dir() else None
        return Settings(_env_file=env_file, _secrets_dir=secrets)
    except ValidationError as exc:
        raise SettingsError(_explain(exc)) from exc


def _refuse_unknown(names: Iterable[str], known: AbstractSet[str], env_file: Path) -> None:
    if unknown := sorted({name.upper() for name in names} - known):
        raise SettingsError(
            f"{env_file}: no such setting: {', '.join(unknown)}. "
            "docs/configuration.md lists the settings."
        )


def _refuse_near_misses(variables: Iterable[str], known: Iterable[str]) -> None:
    # OpenTelemetry's names resemble each other; its library reads those that are none of ours.
    names = [name for name in known if len(name) >= _SHORTEST_CHECKED]
    for variable in sorted(set(variables) - set(vars(environment_variables))):
        if match := difflib.get_close_matches(variable.upper(), names, n=1, cutoff=_NEAR_MISS):
            raise SettingsError(
                f"The environment variable {variable} looks like the setting {match[0]} misspelt: "
                "rename it or remove it."
            )


def _explain(error: ValidationError) -> str:
    return "\n".join(
        f"{str(item['loc'][0]).upper()}: {item['msg']}{_shown(str(item['loc'][0]), item['input'])}."
        for item in error.errors(include_url=False)
    )


def _shown(name: str, value: object) -> str:
    is_secret = "SecretStr" in str(Settings.model_fields[name].annotation)
    return "" if is_secret else f", not {value!r}"

"""Settings of what is kept: answers in the cache, jobs with their uploads, messages to callers."""

import base64
import binascii
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from ocr_base.settings import EnvironmentSettings


class KeepingSettings(EnvironmentSettings):
    """Where answers and jobs are kept, for how long, and how callers are told."""

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
    job_storage_mb: int = Field(
        default=20_480,
        ge=1,
        description="Uploads of jobs that are kept at once, in 2^20 bytes; one caller's are at "
        "most half of them.",
    )
    job_timeout: float = Field(
        default=86_400, gt=0, description="Seconds from its submission after which a job fails."
    )
    job_retention: float = Field(
        default=86_400,
        gt=0,
        description="Seconds that a finished job, its upload included, is kept; one with a "
        "`callback_url` from the time on when that was told or given up.",
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
    webhook_concurrency: int = Field(
        default=16,
        ge=1,
        description="Messages that one worker sends at once beside the jobs it reads; a quarter "
        "of them to one host.",
    )
    webhook_give_up: float = Field(
        default=86_400, ge=0, description="Seconds for which a message is tried again."
    )
    max_concurrent_results: int = Field(
        default=16,
        ge=1,
        description="Results of jobs written and sent at once; the next is refused with 429.",
    )
    results_per_caller: int = Field(
        default=4, ge=1, description="Of these for one caller; the next is refused with 429."
    )
    max_concurrent_waits: int = Field(
        default=1000,
        ge=1,
        description="Callers at once that wait for a job or follow its events; the next is "
        "refused with 429.",
    )
    waits_per_caller: int = Field(
        default=100, ge=1, description="Of these for one caller; the next is refused with 429."
    )

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

"""How every table of settings reads the environment, `.env` and secret files."""

import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ocr_base.places import CHECKOUT, MODEL_REPOSITORY

#: Where containers find secrets: a file for each setting, called after it in small letters.
SECRETS_DIR = Path("/run/secrets")


class EnvironmentSettings(BaseSettings):
    """A table whose names are those of the environment, in small letters; empty means unset.

    So `NAME=` in the environment leaves the word to `.env`, there to the secret file, and an
    empty file to the default: what passes every name on need not know which of them are given.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value != ""}


class StackSettings(EnvironmentSettings):
    """What the local stack and its releases have in common; both read `.env` of their folder."""

    model_config = SettingsConfigDict(
        env_file=".env", secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None
    )

    model_repository: Path = Field(
        default=MODEL_REPOSITORY, description="Folder of the models that Triton loads."
    )
    runtime_dir: Path = Field(
        default=CHECKOUT / ".runtime",
        description="Folder of the local stack: backends, log and control key; one stack each.",
    )
    triton_control_key: SecretStr | None = Field(
        default=None,
        description="Key of Triton's control: repository, logs, traces, shared memory; without it, "
        "the local stack draws one and keeps it in RUNTIME_DIR.",
    )


def explain(error: ValidationError) -> list[str]:
    """Return a line for each setting that has no such value; it repeats none of them."""
    return [f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]


def from_environment(name: str) -> str | None:
    """Return a variable that stands in no table, None where it is missing or empty."""
    return os.environ.get(name) or None

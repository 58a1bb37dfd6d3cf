"""The settings table, in groups by trade: the only reader of the environment and of `.env`."""

import difflib
import os
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from dotenv import dotenv_values
from opentelemetry.sdk import environment_variables
from pydantic import ValidationError

from ocr_base.settings import SECRETS_DIR
from preprocess_service.settings.access import AccessSettings
from preprocess_service.settings.keeping import KeepingSettings
from preprocess_service.settings.reading import ReadingSettings
from preprocess_service.settings.serving import ServingSettings

# At this likeness `TRITON_ULR` and `MAX_FILE_SIZE` are caught, `TRITON_PORT` (which Kubernetes
# sets for a service called triton) is not.
_NEAR_MISS = 0.85
# Shorter names are too like names that mean something to others (PORTS, GHOST).
_SHORTEST_CHECKED = 6


#: Names that other parts of the project read from the same `.env`, docker-compose.yml among them.
NAMES_OF_OTHER_PARTS = frozenset(
    {
        "ENGINE_CACHE",
        "GRAFANA_PORT",
        "MODEL_REPOSITORY",
        "RELEASES_DIR",
        "RELEASE_PUBLIC_KEY",
        "RUNTIME_DIR",
        "SERVICE_MEMORY",
        "SERVICE_URL",
        "TENSORRT_PRECISION",
        "TRITON_HOST",
        "TRITON_MEMORY",
        "TRITON_GRPC_PORT",
        "TRITON_METRICS_HOST",
        "TRITON_METRICS_PORT",
        "TRITON_HTTP_HOST",
        "TRITON_HTTP_PORT",
        "TRITON_STARTUP_TIMEOUT",
        "TRITON_STOP_TIMEOUT",
        "TRITON_CONTROL_KEY",
        "VALKEY_MEMORY_MB",
        "VALKEY_PORT",
        "JOB_WORKERS",
    }
)


class SettingsError(Exception):
    """The environment or `.env` cannot be used; `str()` says what to change."""


# Pydantic takes the fields of the last group first.
class Settings(AccessSettings, KeepingSettings, ReadingSettings, ServingSettings):
    """How this process serves. Names are those of the environment, in lower case."""


def load_settings(env_file: Path = Path(".env")) -> Settings:
    """The settings of the environment, which wins, over those of `.env`, over the defaults.

    Raises:
        SettingsError: A name in `.env` is unknown, a variable looks like a misspelt setting, or a
            value is ill-typed or out of bounds.
    """
    known = {name.upper() for name in Settings.model_fields}
    _refuse_unknown(dotenv_values(env_file), known | NAMES_OF_OTHER_PARTS, env_file)
    given = {name for name, value in os.environ.items() if value}
    _refuse_near_misses(given - known - NAMES_OF_OTHER_PARTS, known)
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

"""Settings of access: keys, rates, proxies, origins, and the hosts that callers may name."""

import re
from ipaddress import ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from ocr_base.settings import EnvironmentSettings

_API_KEY = re.compile(r"(?!sha256:)[!-~]{16,}|sha256:[0-9a-f]{64}")


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class AccessSettings(EnvironmentSettings):
    """Who may call the service, how often, and where it goes for them."""

    api_keys: SecretStr | None = Field(
        default=None,
        description="Keys that callers may show, separated by commas: each of 16 characters or "
        "more, or sha256: and the key's sha256 in hexadecimal digits. None: no key is asked for.",
    )
    operator_keys: SecretStr | None = Field(
        default=None,
        description="Keys, written like API_KEYS, whose callers see and cancel the jobs of all; "
        "they need not stand there too.",
    )
    figures_without_key: bool = Field(
        default=True,
        description="With API_KEYS: whether /models, /metrics, /stats, /gpu/status, /docs and "
        "/openapi.json answer without a key too; /health and /ready always do.",
    )
    wrong_keys_per_minute: int = Field(
        default=20,
        ge=0,
        description="Wrong keys that one address may send in any 60 seconds before it is refused "
        "with 429, but for keys that were right from there; 0: any number.",
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

    @field_validator("api_keys", "operator_keys")
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

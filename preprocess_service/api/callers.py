"""Who may ask, and how often: API keys and rate limits."""

import hashlib
import hmac
import math
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute

from preprocess_service.api.rates import RateLimiter
from preprocess_service.errors import RateLimitedError, UnauthorizedError

_BY_DIGEST = "sha256:"
_bearer = HTTPBearer(auto_error=False, description="One of API_KEYS.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="One of API_KEYS.")


def digest_keys(api_keys: str) -> tuple[str, ...]:
    """The sha256 of each key in API_KEYS, in hexadecimal digits."""
    keys = (key.strip() for key in api_keys.split(","))
    return tuple(
        key.removeprefix(_BY_DIGEST) if key.startswith(_BY_DIGEST) else _digest(key) for key in keys
    )


def require_key(api_keys: str) -> Callable[..., Awaitable[None]]:
    """A dependency that lets through only who shows one of these keys."""
    digests = digest_keys(api_keys)

    async def check(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
        header: Annotated[str | None, Security(_header)],
    ) -> None:
        shown = header or (bearer.credentials if bearer else None)
        if shown is None:
            raise UnauthorizedError("Send an API key: Authorization: Bearer …, or X-API-Key: ….")
        digest = _digest(shown)
        # Every key is compared, whether or not one matched: time tells nothing.
        if not sum(hmac.compare_digest(digest, known) for known in digests):
            raise UnauthorizedError("The API key is not known here.")
        request.state.caller = digest

    return check


def limit_rate(limiter: RateLimiter, per_minute: int) -> Callable[..., Awaitable[None]]:
    """A dependency that lets through so many requests a minute of one key, or one address."""
    rate = RateLimitItemPerMinute(per_minute)

    async def check(request: Request) -> None:
        address = request.client.host if request.client else "unknown"
        caller = getattr(request.state, "caller", address)
        is_within, window = await limiter.hit(rate, caller)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        request.state.answer_headers = {
            "RateLimit-Limit": str(per_minute),
            "RateLimit-Remaining": str(max(0, window.remaining)),
            "RateLimit-Reset": str(seconds),
        }
        if not is_within:
            raise RateLimitedError(
                f"More than {per_minute} requests in a minute (RATE_LIMIT_PER_MINUTE).", seconds
            )

    return check


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

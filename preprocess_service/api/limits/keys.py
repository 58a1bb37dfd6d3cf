"""API keys: the check of a request's key, and the paths that need none."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from ocr_base.version import API
from preprocess_service.api.error_handlers import problem_response
from preprocess_service.api.limits.rates import WrongKeys
from preprocess_service.api.requests import network_of
from preprocess_service.errors import UnauthorizedError
from preprocess_service.problem import ServiceError

#: What a load balancer asks.
_OPEN_PATHS = {f"{prefix}{path}" for prefix in ("", API) for path in ("/health", "/ready")}
_BY_DIGEST = "sha256:"
_bearer = HTTPBearer(auto_error=False, description="One of API_KEYS.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="One of API_KEYS.")


def digest_keys(api_keys: str) -> tuple[str, ...]:
    """The sha256 of each key in API_KEYS or OPERATOR_KEYS, in hexadecimal digits."""
    keys = (key.strip() for key in api_keys.split(",") if key.strip())
    return tuple(
        key.removeprefix(_BY_DIGEST) if key.startswith(_BY_DIGEST) else _digest(key) for key in keys
    )


class Keys:
    """The keys that callers may show; with no `api_keys` nobody has to show one.

    `wrong`, where it is given, bounds how many wrong ones are looked at.
    """

    def __init__(self, api_keys: str, operator_keys: str, wrong: WrongKeys | None) -> None:
        self._known = digest_keys(api_keys)
        self._of_operators = digest_keys(operator_keys)
        self._wrong = wrong

    async def check(self, request: Request, shown: str | None) -> None:
        """Let through who shows a key, which then names the caller.

        Raises:
            UnauthorizedError: A key is asked for, and this is none.
            RateLimitedError: Too many wrong ones came from the caller's address.
        """
        if shown is None:
            if self._known:
                raise UnauthorizedError(
                    "Send an API key: Authorization: Bearer …, or X-API-Key: …."
                )
            return
        address, digest = (
            network_of(request.client.host if request.client else None),
            _digest(shown),
        )
        if self._wrong:
            await self._wrong.require_few(address, digest)
        is_operator = _is_among(digest, self._of_operators)
        if _is_among(digest, self._known) or is_operator:
            request.state.caller, request.state.is_operator = digest, is_operator
            if self._wrong:
                self._wrong.remember(address, digest)
        elif self._known:
            if self._wrong:
                await self._wrong.count(address)
            raise UnauthorizedError("The API key is not known here.")


def shown_key(request: Request) -> str | None:
    """The key that a request shows, as `know_caller` finds it."""
    if header := request.headers.get(_header.model.name):
        return header
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" and key else None


def know_caller(keys: Keys) -> Callable[..., Awaitable[None]]:
    """A dependency that lets through only who may ask."""

    async def check(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
        header: Annotated[str | None, Security(_header)],
    ) -> None:
        await keys.check(request, header or (bearer.credentials if bearer else None))

    return check


class KeyWall:
    """Asks for a key on every path but those of health and readiness."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] not in _OPEN_PATHS:
            request = Request(scope)
            try:
                await self._keys.check(request, shown_key(request))
            except ServiceError as exc:
                await problem_response(request, exc)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_among(digest: str, digests: tuple[str, ...]) -> bool:
    # Every key is compared, whether or not one matched: time tells nothing.
    return bool(sum(hmac.compare_digest(digest, known) for known in digests))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

"""The limits of bodies: how many are received at once, and how slowly."""

import asyncio
import math
import time
from contextlib import ExitStack
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from preprocess_service.api.limits.slots import Slots
from preprocess_service.api.requests import caller_of
from preprocess_service.errors import DeadlineExceededError, UploadTooSlowError
from preprocess_service.problem import ServiceError


@dataclass(frozen=True)
class Pace:
    """A body has `grace_seconds`, and one second more for every `min_rate` bytes that came.

    However much comes, it has no more than `longest_seconds`.
    """

    grace_seconds: float
    min_rate: int
    longest_seconds: float


class BodyMiddleware:
    """Bounds the bodies that are being received, for whichever route asks for its body.

    `QueueFullError`, `UploadTooSlowError` and `DeadlineExceededError` come out of `receive`, so out
    of reading the request.
    """

    def __init__(self, app: ASGIApp, slots: Slots, pace: Pace) -> None:
        self._app = app
        self._slots = slots
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, self._slots, self._pace)
        try:
            await self._app(scope, body.receive, send)
        finally:
            body.end()


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


class _Body:
    """A body, which holds a slot from its first message to its last."""

    def __init__(self, scope: Scope, receive: Receive, slots: Slots, pace: Pace) -> None:
        self._scope = scope
        self._receive = receive
        self._slots = slots
        self._pace = pace
        self._held = ExitStack()
        self._deadline: float | None = None
        self._last_moment = math.inf
        self._has_ended = False

    async def receive(self) -> Message:
        """The next message of the request."""
        if self._has_ended:
            return await self._receive()
        if self._deadline is None:
            self._held.enter_context(self._slots.hold(self._caller()))
            self._deadline = time.monotonic() + self._pace.grace_seconds
            self._last_moment = time.monotonic() + self._pace.longest_seconds
        until = min(self._deadline, self._last_moment)
        try:
            message = await asyncio.wait_for(self._receive(), until - time.monotonic())
        except asyncio.TimeoutError as exc:
            raise self._lateness(until) from exc
        self._deadline += len(message.get("body", b"")) / self._pace.min_rate
        if not message.get("more_body", False):
            self.end()
        return message

    def _caller(self) -> str:
        # The route knows by now whose key it is.
        return caller_of(Request(self._scope))

    def _lateness(self, until: float) -> ServiceError:
        pace = self._pace
        if until == self._last_moment:
            return DeadlineExceededError(
                f"The body took longer than {pace.longest_seconds:g} s (REQUEST_TIMEOUT)."
            )
        return UploadTooSlowError(
            f"The body took longer than {pace.grace_seconds:g} s (UPLOAD_TIMEOUT) and "
            f"one second for each {pace.min_rate} bytes (UPLOAD_MIN_RATE)."
        )

    def end(self) -> None:
        """Give the slot back; what comes now is no longer the body."""
        self._held.close()
        self._has_ended = True

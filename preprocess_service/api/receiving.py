"""Bodies of requests: so many at once, and none slower than it must be."""

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from preprocess_service.api.slots import Slots
from preprocess_service.errors import UploadTooSlowError


@dataclass(frozen=True)
class Pace:
    """A body has `grace_seconds`, and one second more for every `min_rate` bytes that came."""

    grace_seconds: float
    min_rate: int


class BodyMiddleware:
    """Bounds the bodies that are being received, for whichever route asks for its body.

    `QueueFullError` and `UploadTooSlowError` come out of `receive`, so out of reading the request.
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
        body = _Body(receive, self._slots, self._pace)
        try:
            await self._app(scope, body.receive, send)
        finally:
            body.end()


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


class _Body:
    """One body: takes its slot when it is first asked for, gives it back when it has come."""

    def __init__(self, receive: Receive, slots: Slots, pace: Pace) -> None:
        self._receive = receive
        self._slots = slots
        self._pace = pace
        self._held = ExitStack()
        self._deadline: float | None = None
        self._has_ended = False

    async def receive(self) -> Message:
        """The next message of the request."""
        if self._has_ended:
            return await self._receive()
        if self._deadline is None:
            self._held.enter_context(self._slots.hold())
            self._deadline = time.monotonic() + self._pace.grace_seconds
        try:
            message = await asyncio.wait_for(self._receive(), self._deadline - time.monotonic())
        except asyncio.TimeoutError as exc:
            raise UploadTooSlowError(
                f"The body took longer than {self._pace.grace_seconds:g} s (UPLOAD_TIMEOUT) and "
                f"one second for each {self._pace.min_rate} bytes (UPLOAD_MIN_RATE)."
            ) from exc
        self._deadline += len(message.get("body", b"")) / self._pace.min_rate
        if not message.get("more_body", False):
            self.end()
        return message

    def end(self) -> None:
        """Give the slot back; what comes now is no longer the body."""
        self._held.close()
        self._has_ended = True

"""What every request goes through: its id, log, span and metrics; HEAD; answers in pieces."""

import logging
import time
from http import HTTPStatus

from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_base.version import API
from preprocess_service import metrics
from preprocess_service.api.content_policy import CONTENT_HEADERS
from preprocess_service.api.error_handlers import CLIENT_CLOSED_REQUEST
from preprocess_service.api.requests import REQUEST_ID_HEADER, choose_request_id
from preprocess_service.log import request_id_var
from preprocess_service.tracing import Span, span

#: What is handed over at once; the server waits while the client has not taken what came before.
PIECE_BYTES = 64 * 1024
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = logging.getLogger("preprocess_service.access")


class RequestContextMiddleware:
    """Gives every request its id, in logs, answers and calls to Triton."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = choose_request_id(headers.get(REQUEST_ID_HEADER))
        token = request_id_var.set(request_id)
        try:
            with span(scope["method"], headers.get("traceparent"), kind=SpanKind.SERVER) as trace:
                scope.setdefault("state", {}).update(
                    request_id=request_id, traceparent=trace.traceparent
                )
                await self._serve(scope, receive, send, trace)
        finally:
            request_id_var.reset(token)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, trace: Span) -> None:
        request_id = scope["state"]["request_id"]
        started = time.perf_counter()
        status = CLIENT_CLOSED_REQUEST  # unless an answer begins

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = request_id
                for name, value in CONTENT_HEADERS.items():
                    headers.setdefault(name, value)
                headers.update(scope["state"].get("answer_headers", {}))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            if status == CLIENT_CLOSED_REQUEST:
                status = 500  # as the handler of last resort, which stands outside, will answer
            raise
        finally:
            _record(scope, status, time.perf_counter() - started, trace)


def _record(scope: Scope, status: int, seconds: float, trace: Span) -> None:
    extra = {"method": scope["method"], "path": scope["path"], "status": status}
    _log.info("request", extra={**extra, "elapsed_ms": round(seconds * 1000, 1)})
    # Names that a caller can invent must not become time series.
    endpoint = getattr(scope.get("route"), "path", "other").removeprefix(API)
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.REQUESTS.labels(endpoint, method, str(status)).inc()
    metrics.REQUEST_SECONDS.labels(endpoint, method).observe(seconds)
    attributes = {"http.request.method": method, "http.route": endpoint}
    trace.describe(
        f"{method} {endpoint}",
        {
            **attributes,
            "http.response.status_code": status,
            "ocr.request_id": scope["state"]["request_id"],
        },
    )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        trace.fail(str(status))


class HeadMiddleware:
    """Serves HEAD as GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # Who stands outside (the log, the server) still sees a HEAD.
        inner = {**scope, "method": "GET"}
        try:
            await self._app(inner, receive, send_without_body)
        finally:
            scope["route"] = inner.get("route")


class AnswerMiddleware:
    """Hands a large body over in pieces.

    A whole one would be copied into the connection's buffer, and its request be over, though the
    client has taken nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_in_pieces(message: Message) -> None:
            body = message.get("body", b"")
            if message["type"] != "http.response.body" or len(body) <= PIECE_BYTES:
                await send(message)
                return
            view = memoryview(body)
            for start in range(0, len(view), PIECE_BYTES):
                end = start + PIECE_BYTES
                more = end < len(view) or message.get("more_body", False)
                await send({**message, "body": bytes(view[start:end]), "more_body": more})

        await self._app(scope, receive, send_in_pieces)

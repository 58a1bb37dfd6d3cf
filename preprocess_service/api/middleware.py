"""Request id in and out; one line of log, one span and its metrics per request."""

import logging
import time
from http import HTTPStatus

from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from preprocess_service import metrics
from preprocess_service.api.context import API_PREFIX, REQUEST_ID_HEADER, choose_request_id
from preprocess_service.api.error_handlers import CLIENT_CLOSED_REQUEST
from preprocess_service.log import request_id_var
from preprocess_service.tracing import Span, span

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
    endpoint = getattr(scope.get("route"), "path", "other").removeprefix(API_PREFIX)
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

"""The only place where a failure becomes an HTTP response."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from preprocess_service import metrics
from preprocess_service.api.content_policy import CONTENT_HEADERS
from preprocess_service.api.requests import REQUEST_ID_HEADER, request_id_of
from preprocess_service.errors import (
    InternalError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    UrlUnreachableError,
)
from preprocess_service.problem import ServiceError

PROBLEM_MEDIA_TYPE = "application/problem+json"
#: Not of the HTTP standard, but what proxies log when the client has left.
CLIENT_CLOSED_REQUEST = 499

_log = logging.getLogger(__name__)
_OF_STATUS: dict[int, type[ServiceError]] = {
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.METHOD_NOT_ALLOWED: MethodNotAllowedError,
}


def problem_response(request: Request, error: ServiceError) -> Response:
    """The error as `application/problem+json`."""
    return render_problem(error, request_id_of(request))


def render_problem(error: ServiceError, request_id: str) -> Response:
    """The error as `application/problem+json`, counted."""
    metrics.REJECTIONS.labels(error.code).inc()
    # The handler of last resort runs outside the middleware that sets these headers.
    headers = {REQUEST_ID_HEADER: request_id, **CONTENT_HEADERS}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = error.problem(request_id).model_dump_json()
    return Response(body, error.status, headers, PROBLEM_MEDIA_TYPE)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every failure of the app with a problem."""

    async def on_service_error(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, ServiceError)
        if exc.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # Below 500 the cause may quote what the caller sent.
            _log.error("request failed", extra={"code": exc.code, "cause": _cause_of(exc)})
        else:
            _log.info("request refused", extra={"code": exc.code})
        return problem_response(request, exc)

    async def on_http_exception(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        allowed = (exc.headers or {}).get("Allow")
        if request.method == "OPTIONS" and allowed:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": allowed})
        error = _OF_STATUS.get(exc.status_code, InternalError)
        response = problem_response(request, error(str(exc.detail)))
        response.headers.update(exc.headers or {})
        return response

    async def on_invalid_request(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, RequestValidationError)
        detail = " ".join(f"{item['loc'][-1]}: {item['msg']}." for item in exc.errors())
        return problem_response(request, InvalidRequestError(detail))

    async def on_anything_else(request: Request, exc: Exception) -> Response:
        _log.error("unforeseen failure", exc_info=exc)
        error = InternalError("The request failed; the cause is in the log.")
        return problem_response(request, error)

    async def on_client_gone(request: Request, exc: Exception) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)  # nobody reads it; the log does

    app.add_exception_handler(ClientDisconnect, on_client_gone)
    app.add_exception_handler(ServiceError, on_service_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(Exception, on_anything_else)


def _cause_of(error: Exception) -> str:
    cause = error.__cause__ or error
    kind = type(cause).__name__
    # What does not answer in HTTP is quoted by its client.
    return kind if isinstance(error, UrlUnreachableError) else f"{kind}: {cause}"

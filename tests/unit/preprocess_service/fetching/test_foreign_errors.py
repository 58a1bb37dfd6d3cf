"""Whatever the HTTP library and the system below it may raise is an error of the table."""

import builtins
import inspect
import socket
import ssl
from types import ModuleType

import httpx
import pytest

from preprocess_service.fetching.download import FOREIGN_ERRORS, fetch_error

# What a caller may be told of a link.
_CODES = {"invalid_options", "url_unreachable", "url_timeout"}


def _exceptions(module: ModuleType) -> set[type[Exception]]:
    found = [item for item in inspect.getmembers(module, inspect.isclass) if item[0][0] != "_"]
    return {kind for _, kind in found if issubclass(kind, Exception)}


KINDS = sorted(
    _exceptions(httpx)
    | _exceptions(ssl)
    | _exceptions(socket)
    | {kind for kind in _exceptions(builtins) if issubclass(kind, OSError)},
    key=lambda kind: kind.__name__,
)


def test_there_is_something_to_look_at() -> None:
    assert {httpx.StreamError, httpx.InvalidURL, ssl.SSLError, socket.gaierror} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_exception_is_mapped(kind: type[Exception]) -> None:
    assert issubclass(kind, FOREIGN_ERRORS)
    assert fetch_error(kind.__new__(kind), 1).code in _CODES

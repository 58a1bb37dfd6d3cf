"""Whatever a client of an object store may raise is an error of the table."""

import builtins
import importlib
import inspect

import fsspec.exceptions
import pytest

from preprocess_service.errors import QueueFullError, StorageFullError, StorageUnavailableError
from preprocess_service.storage.uploads import _as_service_errors, only_os_errors

LIBRARIES = (
    "fsspec.exceptions", "s3fs.errors", "s3fs.core", "botocore.exceptions", "botocore.parsers",
    "aiobotocore.httpsession", "aiohttp", "aiohttp.http_exceptions", "urllib3.exceptions", "ssl",
)  # fmt: skip


def _exceptions(name: str) -> set[type[Exception]]:
    kinds = (kind for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass))
    return {kind for kind in kinds if issubclass(kind, Exception) and kind.__name__[0] != "_"}


KINDS = sorted(
    {kind for name in LIBRARIES for kind in _exceptions(name)}
    | {kind for kind in _exceptions(builtins.__name__) if issubclass(kind, OSError)},
    key=lambda kind: f"{kind.__module__}.{kind.__name__}",
)


def _made(kind: type[Exception]) -> Exception:
    """One without what its constructor asks for."""
    members = {"__init__": lambda _: None, "__str__": lambda _: "made for a test"}
    made: type[Exception] = type(kind.__name__, (kind,), members)
    return made()


def test_there_is_something_to_look_at() -> None:
    names = {kind.__name__ for kind in KINDS}
    assert {"EndpointConnectionError", "NoCredentialsError", "ClientPayloadError"} < names
    assert fsspec.exceptions.FSTimeoutError in KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_exception_is_mapped(kind: type[Exception]) -> None:
    with pytest.raises((StorageUnavailableError, StorageFullError)), _as_service_errors():
        raise _made(kind)
    with pytest.raises(OSError), only_os_errors():  # noqa: PT011 - any of them will do
        raise _made(kind)


def test_errors_of_this_service_pass() -> None:
    with pytest.raises(QueueFullError), _as_service_errors():
        raise QueueFullError

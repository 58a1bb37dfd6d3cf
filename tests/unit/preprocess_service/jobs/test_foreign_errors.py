"""Whatever the client of Redis or the queue may raise is an error of the table."""

import importlib
import inspect
import pkgutil
from types import SimpleNamespace
from typing import Any

import docket
import pytest
import redis.exceptions

from preprocess_service.api.routes.jobs import _jobs
from preprocess_service.errors import JobsUnavailableError, StorageFullError
from preprocess_service.reading.cache.redis_tier import _tier_errors
from preprocess_service.reading.cache.safe_tier import TierError

# Of the client of a cluster and of one that a fork has halved, neither of which is used here.
_OF_OTHERS = {"RedisClusterException", "IncorrectPolicyType", "ChildDeadlockedError"}
#: How Docket tells its own worker what becomes of a task.
_WITHIN_DOCKET = {"AdmissionBlocked", "ConcurrencyBlocked", "ExecutionCancelled", "ForcedRetry"}


def _exceptions(module: Any) -> set[type[Exception]]:
    kinds = (kind for _, kind in inspect.getmembers(module, inspect.isclass))
    return {kind for kind in kinds if issubclass(kind, Exception)}


KINDS = sorted(
    (
        kind
        for kind in _exceptions(redis.exceptions)
        if _OF_OTHERS.isdisjoint(base.__name__ for base in kind.__mro__)
    ),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_exception_is_mapped(kind: type[Exception]) -> None:
    made = type(kind.__name__, (kind,), {"__init__": lambda _: None, "__str__": lambda _: ""})
    services: Any = SimpleNamespace(jobs=object())
    request = _jobs(services)
    await anext(request)
    is_full = issubclass(kind, redis.exceptions.OutOfMemoryError)
    with pytest.raises(StorageFullError if is_full else JobsUnavailableError):
        await request.athrow(made())
    with pytest.raises(TierError), _tier_errors():
        raise made()


def test_the_queue_has_no_errors_of_its_own() -> None:
    names = [found.name for found in pkgutil.walk_packages(docket.__path__, "docket.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    own = {
        kind.__name__
        for module in modules
        for kind in _exceptions(module)
        if kind.__module__.startswith("docket")
    }
    assert own <= _WITHIN_DOCKET

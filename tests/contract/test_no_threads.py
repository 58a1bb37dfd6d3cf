"""What every request goes through runs on the event loop: threads have a queue, which is long
when many ask at once."""

import asyncio
import inspect
from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from preprocess_service.api.routes import health, jobs, monitoring, ocr


def needed(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for other in dependant.dependencies:
        yield from needed(other)


def runs_on_the_loop(call: object) -> bool:
    wanted = call if inspect.isroutine(call) else type(call).__call__
    return asyncio.iscoroutinefunction(wanted) or inspect.isasyncgenfunction(wanted)


def test_no_route_and_nothing_that_it_depends_on_waits_for_a_thread():
    routers = (health.router, jobs.router, monitoring.router, ocr.router)
    routes = [route for router in routers for route in router.routes]
    dependants = [route.dependant for route in routes if isinstance(route, APIRoute)]
    assert len(dependants) >= 15
    calls = {call for dependant in dependants for call in needed(dependant)}
    assert [call for call in calls if not runs_on_the_loop(call)] == []

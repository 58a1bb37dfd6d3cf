"""Deadlines: work that is canceled when its time is over or its caller has left."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from preprocess_service.errors import DeadlineExceededError

Result = TypeVar("Result")


async def within_deadline(work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    """The result of the work, which is canceled at the deadline.

    Raises:
        DeadlineExceededError: It was not done in time.
    """
    try:
        return await asyncio.wait_for(work, seconds)
    except asyncio.TimeoutError as exc:
        raise DeadlineExceededError(
            f"The request took longer than {seconds:g} s (REQUEST_TIMEOUT)."
        ) from exc


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of the work, which is canceled when the client leaves; the body has been read.

    Raises:
        ClientDisconnect: The client left.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_wait_for_disconnect(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

"""Cancellation of tasks until they have ended, and work in threads."""

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_LOOK_SECONDS = 0.1

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


async def cancel_until_done(*tasks: "asyncio.Task[Any]") -> None:
    """Return when the tasks have ended, whatever they raised.

    Once is not enough: `asyncio.wait_for`, which redis-py connects with, loses a cancel that comes
    together with the awaited result (Python 3.10 and 3.11).
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=_LOOK_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


async def in_thread(
    work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """What `work` returns, run beside the event loop.

    A thread cannot be stopped: when this is canceled, it ends when the thread has, so that the
    slot that was taken for the work is held as long as it goes on.
    """
    working = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        if not working.cancelled():
            working.exception()  # nobody else will ask for it
        raise

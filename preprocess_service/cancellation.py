"""Ending tasks for sure."""

import asyncio
from typing import Any

_LOOK_SECONDS = 0.1


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

"""Full garbage collections, run while no document is in work; freed memory goes back then.

A full collection looks at every object of the process, and nothing else runs meanwhile: half a
second beside two documents of `MAX_RESULT_MB`, again and again as they grow. Documents themselves
have no cycles, and go without it.

glibc keeps blocks of up to 32 MiB in its heap once it has freed one, so that a process that made
large answers keeps their memory until it is trimmed.
"""

import asyncio
import ctypes
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from preprocess_service.cancellation import cancel_until_done

_LOOK_SECONDS, _LONGEST_SECONDS = 5.0, 300.0
_NEVER = 1 << 30


@asynccontextmanager
async def collected_when_idle(
    is_idle: Callable[[], bool], longest_seconds: float = _LONGEST_SECONDS
) -> AsyncIterator[None]:
    """While the block runs, full collections wait until the process is idle, at most so long.

    After each the system gets back what is free. What is there when it begins is left out of them.
    """
    young, middle, old = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(young, middle, _NEVER)
    collecting = asyncio.create_task(_collect(is_idle, longest_seconds))
    try:
        yield
    finally:
        await cancel_until_done(collecting)
        gc.set_threshold(young, middle, old)
        gc.unfreeze()


async def _collect(is_idle: Callable[[], bool], longest_seconds: float) -> None:
    last = time.monotonic()
    libc = ctypes.CDLL(None)
    while True:
        await asyncio.sleep(min(_LOOK_SECONDS, longest_seconds))
        waited = time.monotonic() - last
        # Without a younger collection since then there is nothing to find.
        if gc.get_count()[2] and (is_idle() or waited >= longest_seconds):
            gc.collect()
            libc.malloc_trim(0)
            last = time.monotonic()

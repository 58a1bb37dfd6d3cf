import asyncio
import threading

import pytest

from preprocess_service.cancellation import in_thread


async def test_who_is_canceled_waits_for_the_thread():
    goes_on, ended = threading.Event(), threading.Event()

    def work():
        goes_on.wait(10)
        ended.set()

    working = asyncio.create_task(in_thread(work))
    await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.sleep(0.01)
    assert not working.done()
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended.is_set()

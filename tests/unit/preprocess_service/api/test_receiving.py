import asyncio
import signal

import pytest

from preprocess_service.api.draining import Drain
from preprocess_service.api.receiving import BodyMiddleware, Pace
from preprocess_service.api.slots import Slots
from preprocess_service.errors import QueueFullError, UploadTooSlowError
from tests.waiting import until

SCOPE = {"type": "http", "headers": [(b"content-length", b"9")]}


async def _ignore(_):
    pass


def _reader(read):
    async def app(scope, receive, send):
        while (message := await receive())["more_body"]:
            read.append(message["body"])

    return app


async def test_a_body_that_stands_still_is_given_up_and_its_slot_freed():
    slots, read = Slots(1, "full"), []
    pieces = [b"12345"]

    async def receive():
        if not pieces:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": pieces.pop(), "more_body": True}

    middleware = BodyMiddleware(_reader(read), slots, Pace(0.05, 1000))
    with pytest.raises(UploadTooSlowError, match="UPLOAD_TIMEOUT"):
        await middleware(SCOPE, receive, _ignore)
    assert read == [b"12345"]
    assert slots.taken == 0


async def test_one_body_too_many_is_refused_before_it_is_read():
    slots = Slots(1, "full")
    middleware = BodyMiddleware(_reader([]), slots, Pace(1, 1000))

    async def receive():
        raise AssertionError("read")

    with slots.hold(), pytest.raises(QueueFullError):
        await middleware(SCOPE, receive, _ignore)


def test_the_wait_that_is_told_is_that_of_the_last_minute():
    now = 0.0
    slots = Slots(1, "full", lambda: now)
    for _ in range(4):
        with slots.hold():
            now += 10
    with slots.hold(), pytest.raises(QueueFullError) as caught:
        slots.require_free()
    assert caught.value.retry_after_seconds == 60 / 4


async def test_drain_waits_for_what_is_in_work_and_then_hands_the_signal_on():
    heard = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        drain = Drain((signal.SIGUSR1,), timeout_seconds=5)
        with drain.on_signals():
            with drain.working():
                signal.raise_signal(signal.SIGUSR1)
                await until(lambda: drain.has_begun)
                assert heard == []
            await until(lambda: heard)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1]

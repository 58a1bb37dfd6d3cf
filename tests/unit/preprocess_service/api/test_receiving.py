import asyncio
import signal

import pytest
import pytest_asyncio

from preprocess_service.api.limits.draining import Drain
from preprocess_service.api.limits.slots import Bound, Slots, upload_slots
from preprocess_service.api.receiving.body import BodyMiddleware, Pace
from preprocess_service.errors import DeadlineExceededError, QueueFullError, UploadTooSlowError
from preprocess_service.settings import Settings
from tests.fakes import FakeEngine
from tests.processes import hear
from tests.unit.preprocess_service.conftest import open_client
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

    middleware = BodyMiddleware(_reader(read), slots, Pace(0.05, 1000, 9))
    with pytest.raises(UploadTooSlowError, match="UPLOAD_TIMEOUT"):
        await middleware(SCOPE, receive, _ignore)
    assert read == [b"12345"]
    assert slots.taken == 0


async def test_a_body_that_comes_steadily_ends_with_the_request_s_time():
    slots, read = Slots(1, "full"), []

    async def receive():
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"12345", "more_body": True}

    middleware = BodyMiddleware(_reader(read), slots, Pace(9, 1, 0.1))
    with pytest.raises(DeadlineExceededError, match="REQUEST_TIMEOUT"):
        await middleware(SCOPE, receive, _ignore)
    assert len(read) > 1
    assert slots.taken == 0


BODIES = {
    "/api/v1/ocr/process": "multipart/form-data; boundary=x",
    "/api/v1/ocr/process-batch": "multipart/form-data; boundary=x",
    "/api/v1/ocr/image": "multipart/form-data; boundary=x",
    "/api/v1/ocr/pdf": "multipart/form-data; boundary=x",
    "/api/v1/ocr/url": "application/json",
    "/api/v1/jobs/submit": "multipart/form-data; boundary=x",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty_client(tmp_path_factory):
    settings = Settings(
        request_timeout=0.2, rasterizer_processes=1, cache_ttl=0, redis_url="redis://127.0.0.1:1",
        data_dir=tmp_path_factory.mktemp("data"),
    )  # fmt: skip
    async with open_client(settings, FakeEngine()) as client:
        yield client


@pytest.mark.asyncio(loop_scope="module")
async def test_every_route_that_takes_a_body_is_tried_below(hasty_client):
    paths = (await hasty_client.get("/openapi.json")).json()["paths"]
    assert set(BODIES) == {path for path, methods in paths.items() if "post" in methods}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", BODIES)
async def test_no_route_waits_longer_for_its_body_than_the_request_may_take(path, hasty_client):
    async def body():
        yield b"--x\r\n"
        await asyncio.Event().wait()

    headers = {"Content-Type": BODIES[path]}
    posted = hasty_client.post(path, content=body(), headers=headers)
    answer = await asyncio.wait_for(posted, 5)
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")


async def test_one_body_too_many_is_refused_before_it_is_read():
    slots = Slots(1, "full")
    middleware = BodyMiddleware(_reader([]), slots, Pace(1, 1000, 9))

    async def receive():
        raise AssertionError("read")

    with slots.hold(), pytest.raises(QueueFullError):
        await middleware(SCOPE, receive, _ignore)


async def test_one_caller_s_bodies_leave_room_for_those_of_others():
    slots = upload_slots(Settings(max_concurrent_uploads=3, uploads_per_caller=2))
    received, read = asyncio.Event(), []

    async def receive():
        await received.wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send_from(address, key=None):
        state = {"caller": key} if key else {}
        scope = {**SCOPE, "client": (address, 1), "state": state}
        await BodyMiddleware(_reader(read), slots, Pace(9, 1000, 9))(scope, receive, _ignore)

    bodies = [asyncio.create_task(send_from("192.0.2.1", "key")) for _ in range(2)]
    await until(lambda: slots.taken == 2)
    with pytest.raises(QueueFullError, match="UPLOADS_PER_CALLER"):
        await send_from("192.0.2.9", "key")
    bodies.append(asyncio.create_task(send_from("192.0.2.1")))
    await until(lambda: slots.taken == 3)
    with pytest.raises(QueueFullError, match="MAX_CONCURRENT_UPLOADS"):
        await send_from("192.0.2.2")
    received.set()
    await asyncio.gather(*bodies)
    assert slots.taken == 0


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
                hear(signal.SIGUSR1)
                await until(lambda: drain.has_begun)
                assert heard == []
            await until(lambda: heard)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1]


def test_one_caller_has_his_share_and_leaves_the_rest_to_others():
    slots = Slots(3, "ALL", share=Bound(2, "SHARE"))
    with slots.hold("one"), slots.hold("one"):
        with pytest.raises(QueueFullError, match="SHARE"):
            slots.require_free("one")
        with slots.hold("other"), pytest.raises(QueueFullError, match="ALL"):
            slots.require_free("third")
        slots.require_free("other")
    slots.require_free("one")

import asyncio

import pytest

from preprocess_service.reading.cache.flights import Flights
from tests.waiting import until


class Work:
    """Ends when it is told to, and counts how often it was begun and canceled."""

    def __init__(self, error: Exception | None = None) -> None:
        self.gate = asyncio.Event()
        self.error = error
        self.begun = 0
        self.canceled = 0

    async def _run(self) -> str:
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.canceled += 1
            await asyncio.sleep(0)
            raise
        if self.error:
            raise self.error
        return "done"

    def start(self) -> asyncio.Task[str]:
        self.begun += 1
        return asyncio.create_task(self._run())


def _callers(flights, work, count, key="a"):
    return [asyncio.create_task(flights.join(key, work.start)) for _ in range(count)]


async def test_equal_requests_share_one_flight():
    flights, work = Flights(), Work()
    callers = _callers(flights, work, 20)
    await asyncio.sleep(0)
    assert flights.is_under_way("a")
    work.gate.set()
    assert await asyncio.gather(*callers) == ["done"] * 20
    assert work.begun == 1
    assert not flights.is_under_way("a")


async def test_other_requests_do_not():
    flights, work = Flights(), Work()
    callers = _callers(flights, work, 1, "a") + _callers(flights, work, 1, "b")
    await asyncio.sleep(0)
    work.gate.set()
    await asyncio.gather(*callers)
    assert work.begun == 2


async def test_others_get_their_answer_when_the_first_leaves():
    flights, work = Flights(), Work()
    first, *others = _callers(flights, work, 3)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert first.cancelled()
    work.gate.set()
    assert await asyncio.gather(*others) == ["done"] * 2
    assert (work.begun, work.canceled) == (1, 0)


async def test_work_stops_before_the_last_one_has_left():
    flights, work = Flights(), Work()
    callers = _callers(flights, work, 3)
    await asyncio.sleep(0.01)
    for caller in callers:
        assert work.canceled == 0
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
    assert work.canceled == 1
    assert not flights.is_under_way("a")


async def test_next_request_after_all_left_begins_anew():
    flights, work = Flights(), Work()
    (first,) = _callers(flights, work, 1)
    await asyncio.sleep(0.01)
    first.cancel()
    (second,) = _callers(flights, work, 1)  # while the first is on its way out
    await until(lambda: work.begun == 2)
    work.gate.set()
    assert await second == "done"
    assert work.canceled == 1


async def test_failure_reaches_everybody_and_is_not_kept():
    flights, work = Flights(), Work(ValueError("broken"))
    work.gate.set()
    outcomes = await asyncio.gather(*_callers(flights, work, 3), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["broken"] * 3
    with pytest.raises(ValueError, match="broken"):
        await flights.join("a", work.start)
    assert work.begun == 2

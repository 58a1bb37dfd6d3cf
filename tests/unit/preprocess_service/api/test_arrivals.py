import asyncio

import pytest

from preprocess_service.api.limits.arrivals import Arrivals


async def test_one_of_many_holds_up_no_other_address():
    arrivals, begun = Arrivals(), []

    async def ask(address: str) -> None:
        await arrivals.take_turn(address)
        begun.append(address)

    many = [asyncio.create_task(ask("many")) for _ in range(500)]
    await asyncio.create_task(ask("other"))
    assert begun == ["many", "other"]
    await asyncio.gather(*many)
    assert begun.count("many") == 500


async def test_those_of_one_address_begin_in_the_order_of_their_coming():
    arrivals, begun = Arrivals(), []

    async def ask(number: int) -> None:
        await arrivals.take_turn("one")
        begun.append(number)

    await asyncio.gather(*map(ask, range(20)))
    assert begun == list(range(20))


async def test_who_leaves_before_its_turn_stops_nobody():
    arrivals = Arrivals()
    first, leaving, last = (asyncio.create_task(arrivals.take_turn("one")) for _ in range(3))
    await first
    leaving.cancel()
    await asyncio.wait_for(last, 5)
    with pytest.raises(asyncio.CancelledError):
        await leaving


def test_a_round_ends_with_its_event_loop():
    arrivals = Arrivals()
    for _ in range(2):
        asyncio.run(asyncio.wait_for(arrivals.take_turn("one"), 5))

import asyncio

import pytest

from preprocess_service.errors import ResultTooLargeError
from preprocess_service.reading.budget import PageBudget, TextBudget
from preprocess_service.turns import Party


async def _enter(
    budget: PageBudget, size: int, caller: str = ""
) -> tuple[asyncio.Task[None], asyncio.Event]:
    leave = asyncio.Event()

    async def hold() -> None:
        async with budget.hold(size, Party(caller)):
            await leave.wait()

    task = asyncio.create_task(hold())
    for _ in range(5):
        await asyncio.sleep(0)
    return task, leave


async def test_pages_wait_for_the_count():
    budget = PageBudget(max_pages=2, max_bytes=100)
    entered = [await _enter(budget, 1) for _ in range(3)]
    assert budget.pages == 2
    entered[0][1].set()
    await entered[0][0]
    for _ in range(5):
        await asyncio.sleep(0)
    assert budget.pages == 2
    for _, leave in entered:
        leave.set()
    await asyncio.gather(*(task for task, _ in entered))
    assert (budget.pages, budget.bytes) == (0, 0)


async def test_large_page_is_not_overtaken_by_small_ones():
    budget = PageBudget(max_pages=10, max_bytes=100)
    _, leave_first = await _enter(budget, 60)
    large, leave_large = await _enter(budget, 70)
    small, leave_small = await _enter(budget, 1)
    assert budget.bytes == 60
    leave_first.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert budget.bytes == 71
    leave_large.set()
    leave_small.set()
    await asyncio.gather(large, small)


async def test_page_larger_than_the_budget_is_let_in_alone():
    budget = PageBudget(max_pages=2, max_bytes=10)
    task, leave = await _enter(budget, 1000)
    other, _ = await _enter(budget, 1)
    assert (budget.pages, budget.bytes) == (1, 1000)
    leave.set()
    await task
    other.cancel()


async def test_one_caller_leaves_a_quarter_of_the_room_to_others():
    budget = PageBudget(max_pages=4, max_bytes=1000)
    for _ in range(8):
        await _enter(budget, 1, "one")
    assert budget.pages == 3
    await _enter(budget, 1, "other")
    assert budget.pages == 4


async def test_bytes_of_one_caller_leave_a_quarter_too():
    budget = PageBudget(max_pages=50, max_bytes=100)
    for _ in range(8):
        await _enter(budget, 20, "one")
    assert budget.bytes == 60
    await _enter(budget, 40, "other")
    assert budget.bytes == 100


async def test_page_that_gives_up_waiting_leaves_the_queue():
    budget = PageBudget(max_pages=1, max_bytes=10)
    _, leave_first = await _enter(budget, 1)
    waiting, _ = await _enter(budget, 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    leave_first.set()
    async with budget.hold(1):
        assert budget.pages == 1


def test_once_a_page_of_a_document_does_not_fit_none_does():
    text = TextBudget(100)
    text.spend(60)
    with pytest.raises(ResultTooLargeError, match="MAX_RESULT_MB"):
        text.spend(41)
    with pytest.raises(ResultTooLargeError):
        text.require_left()
    with pytest.raises(ResultTooLargeError):
        text.spend(1)


def test_a_document_may_say_exactly_as_much_as_it_may():
    text = TextBudget(100)
    text.spend(100)
    with pytest.raises(ResultTooLargeError):
        text.require_left()

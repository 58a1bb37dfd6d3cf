"""Who is let in next, whatever it is that is scarce."""

import asyncio

import pytest

from preprocess_service.turns import Party, Room, Turns


class Line:
    """Parties that wait for `turns` and leave when told to; `entered` has them in order."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.entered: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._leave: dict[str, asyncio.Event] = {}

    async def join(self, name: str, caller: str, document: str = "", weight: int = 0) -> None:
        self._leave[name] = asyncio.Event()

        async def take_part() -> None:
            async with self.turns.hold(Party(caller, document), weight):
                self.entered.append(name)
                await self._leave[name].wait()

        self.tasks[name] = asyncio.create_task(take_part())
        await settled()

    def let_go(self, name: str) -> None:
        self._leave[name].set()

    async def leave(self, name: str) -> None:
        self.let_go(name)
        await self.tasks[name]
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_take_turns_however_much_one_of_them_asks_for() -> None:
    line = Line(Turns(Room(1), Room(1)))
    for number in range(6):
        await line.join(f"many {number}", "a", f"document {number}")
    await line.join("few 0", "b")
    await line.join("few 1", "b")
    for _ in range(7):
        await line.leave(line.entered[-1])
    assert line.entered[:5] == ["many 0", "few 0", "many 1", "few 1", "many 2"]


async def test_documents_of_a_caller_take_turns_too() -> None:
    line = Line(Turns(Room(1), Room(1)))
    for name in ("x0", "x1", "x2", "y0", "y1"):
        await line.join(name, "a", name[0])
    for _ in range(4):
        await line.leave(line.entered[-1])
    assert line.entered == ["x0", "y0", "x1", "y1", "x2"]


async def test_one_caller_has_no_more_than_its_share() -> None:
    line = Line(Turns(Room(3), Room(2)))
    for number in range(4):
        await line.join(f"many {number}", "a")
    await line.join("other", "b")
    assert line.entered == ["many 0", "many 1", "other"]
    await line.leave("other")
    assert line.entered == ["many 0", "many 1", "other"]
    await line.leave("many 0")
    assert line.entered[-1] == "many 2"


async def test_a_heavy_one_is_not_overtaken_by_light_ones() -> None:
    line = Line(Turns(Room(9, 100), Room(9, 100)))
    await line.join("first", "a", weight=60)
    await line.join("heavy", "b", weight=80)
    await line.join("light", "c", weight=1)
    assert line.entered == ["first"]
    await line.leave("first")
    assert line.entered == ["first", "heavy", "light"]


async def test_more_room_lets_in_more() -> None:
    line = Line(Turns(Room(1), Room(1)))
    await line.join("first", "a")
    await line.join("second", "a")
    line.turns.resize(Room(2), Room(2))
    await settled()
    assert line.entered == ["first", "second"]


@pytest.mark.parametrize("is_admitted", [False, True])
async def test_who_gives_up_leaves_nothing_behind(is_admitted: bool) -> None:
    line = Line(Turns(Room(1), Room(1)))
    await line.join("first", "a")
    await line.join("second", "b")
    if is_admitted:
        line.let_go("first")
        await asyncio.sleep(0)  # its turn has come, and it does not know yet
        assert line.turns.held.count == 1
    line.tasks["second"].cancel()
    await settled()
    line.let_go("first")
    await settled()
    assert line.entered == ["first"]
    assert line.turns.held.count == 0
    assert not line.turns._callers
    assert not line.turns._parties

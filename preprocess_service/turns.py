"""A fair queue for scarce places: the caller that holds the fewest is next."""

import asyncio
import itertools
import math
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple


class Party(NamedTuple):
    """The caller and the document that a place is held for."""

    caller: str = ""
    document: str = ""


#: The party of work that is done for no caller.
NOBODY = Party()


@dataclass
class Held:
    """The places that are held, their weight, and the number of the last entry."""

    count: int = 0
    weight: int = 0
    last_entry: int = 0


@dataclass(frozen=True)
class Room:
    """A limit of places and of their weight together; one alone may be of any weight."""

    count: int
    weight: float = math.inf

    def takes(self, held: Held, weight: int) -> bool:
        """Whether one more fits beside what is held."""
        is_within = held.count < self.count and held.weight + weight <= self.weight
        return held.count == 0 or is_within


@dataclass(eq=False)
class _Waiting:
    party: Party
    weight: int
    number: int
    admitted: "asyncio.Future[None]"


class Turns:
    """Lets in what fits, by turn: of the caller that holds least, the document that holds least.

    Between equals the one whose last turn is longest ago is next. A heavy one is not overtaken,
    except by those of other callers while its own caller has all that one caller may have.
    """

    def __init__(self, whole: Room, each: Room) -> None:
        """Everything is free.

        Args:
            whole: For all callers together.
            each: For any one of them.
        """
        self._whole = whole
        self._each = each
        self._numbers = itertools.count(1)
        self._waiting: list[_Waiting] = []
        self._callers: defaultdict[str, Held] = defaultdict(Held)
        self._parties: defaultdict[Party, Held] = defaultdict(Held)
        self.held = Held()

    def resize(self, whole: Room, each: Room) -> None:
        """Let in as many as that from now on; nobody is put out."""
        self._whole, self._each = whole, each
        self._admit()

    @asynccontextmanager
    async def hold(self, party: Party, weight: int = 0) -> AsyncIterator[None]:
        """Wait for a turn, and hold it until the block ends."""
        await self.take(party, weight)
        try:
            yield
        finally:
            self.give_back(party, weight)

    async def take(self, party: Party, weight: int = 0) -> None:
        """Return when it is the party's turn; `give_back` is to follow."""
        admitted = asyncio.get_running_loop().create_future()
        waiting = _Waiting(party, weight, next(self._numbers), admitted)
        self._waiting.append(waiting)
        self._admit()
        try:
            await admitted
        except BaseException:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
                self._admit()
                self._forget(party)
            else:  # its turn came together with its end
                self.give_back(party, weight)
            raise

    def give_back(self, party: Party, weight: int = 0) -> None:
        """End a turn."""
        for held in self._holdings(party):
            held.count -= 1
            held.weight -= weight
        self._admit()
        self._forget(party)

    def _admit(self) -> None:
        while (waiting := self._next()) is not None:
            self._waiting.remove(waiting)
            number = next(self._numbers)
            for held in self._holdings(waiting.party):
                held.count += 1
                held.weight += waiting.weight
                held.last_entry = number
            waiting.admitted.set_result(None)

    def _next(self) -> _Waiting | None:
        in_line = sorted((w for w in self._waiting if not w.admitted.done()), key=self._rank)
        of_callers: dict[str, _Waiting] = {}
        for waiting in in_line:
            of_callers.setdefault(waiting.party.caller, waiting)
        for caller, first in of_callers.items():
            if self._each.takes(self._callers[caller], first.weight):
                return first if self._whole.takes(self.held, first.weight) else None
        return None

    def _rank(self, waiting: _Waiting) -> tuple[int, ...]:
        caller, party = self._callers[waiting.party.caller], self._parties[waiting.party]
        return caller.count, caller.last_entry, party.count, party.last_entry, waiting.number

    def _holdings(self, party: Party) -> tuple[Held, Held, Held]:
        return self.held, self._callers[party.caller], self._parties[party]

    def _forget(self, party: Party) -> None:
        """Drop the counts of parties that neither hold nor wait: there is no end of names."""
        if not self._parties[party].count and all(w.party != party for w in self._waiting):
            del self._parties[party]
        is_waiting = any(w.party.caller == party.caller for w in self._waiting)
        if not self._callers[party.caller].count and not is_waiting:
            del self._callers[party.caller]
